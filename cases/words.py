"""Words of which made-up matters are written: everyday Spanish, and rare words put together."""

from itertools import product

MATTERS = (
    "Solicitud de informe de vida laboral,Cambio de domicilio,Devolución de ingresos indebidos,"
    "Certificado de empadronamiento,Queja por el tiempo de espera,Ayuda de emergencia social,"
    "Consulta sobre jubilación anticipada,Duplicado de la tarjeta sanitaria,Farola apagada,"
    "Desperfecto en la acera,Recogida de muebles,Licencia de obra menor,Reclamación de un recibo,"
    "Prestación por nacimiento,Complemento a mínimos,Aplazamiento de deuda,Cita para revisión médica,"
    "Plaza de aparcamiento reservada,Ruido en horario nocturno,Limpieza de un solar,Fuga de agua,"
    "Subvención para rehabilitación,Cambio de cuenta bancaria,Alta en el padrón,Baja de autónomos"
).split(",")
COMMON = (
    "la,de,que,en,el,no,por,una,solicita,para,ciudadana,indica,con,los,desde,su,ha,calle,se,documento,días,"
    "hace,plazo,pago,informe,oficina,llamó,respuesta,nadie,correo,teléfono,semana,certificado,meses,recibo,"
    "expediente,madre,padre,hijo,trabajo,empresa,cuenta,banco,pensión,ayuda,vivienda,alquiler,luz,agua,acera,"
    "farola,parque,árbol,contenedor,basura,ruido,vecinos,noche,mañana,tarde,puerta,portal,esquina,semáforo,"
    "autobús,colegio,médico,hospital,baja,alta,empleo,contrato,nómina,renta,declaración,multa,licencia,obra,"
    "proyecto,plano,registro,firma,certificación,notificación,recurso,reclamación,queja,error,datos,nombre,"
    "apellido,dirección,código,postal,municipio,padrón,familia,título,menor,discapacidad,grado,dependencia,"
    "valoración,cita,espera,atención,gracias,urgente,pendiente,resuelto,revisar,enviar,recibir,presentar,"
    "corregir,anular,cambiar,ampliar,justificar,acreditar,comprobar,consultar"
).split(",")
_SYLLABLES = "ba,ce,di,fo,gu,la,me,ni,po,ru,sa,te,vi,zo,bra,cle,dri,flo,gru,pla,tre,cho,lle,ñu,qui,gue".split(
    ","
)
RARE = ["".join(parts) for parts in product(_SYLLABLES, repeat=3)]
