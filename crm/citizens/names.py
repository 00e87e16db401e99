"""Names of people who do not exist: common Spanish names, and rarer surnames put together."""

from itertools import product

WOMEN = (
    "María Carmen,María,Carmen,Ana María,Laura,Josefa,Isabel,Cristina,Marta,Lucía,Antonia,Dolores,Sara,Paula,"
    "Elena,Pilar,Raquel,Teresa,Rosa María,Beatriz,Nuria,Silvia,Julia,Patricia,Rosario,Irene,Alba,Mercedes,"
    "Andrea,Montserrat,Rocío,Alicia,Concepción,Mónica,Encarnación,Marina,Yolanda,Ángela,Sonia,Natalia,Inés,"
    "Sofía,Claudia,Manuela,Margarita,Eva,Susana,Amparo,Carolina,Luisa,Ainhoa,Nerea,Itziar,Uxía,Iria,Sabela,"
    "Mireia,Neus,Aina,Laia,Fátima,Aicha,Ioana,Daniela,Valentina,Xiomara"
).split(",")
MEN = (
    "Antonio,Manuel,José,Francisco,David,Juan,Javier,José Antonio,Daniel,José Luis,Francisco Javier,Carlos,"
    "Jesús,Alejandro,Miguel,Rafael,José Manuel,Pedro,Miguel Ángel,Pablo,Ángel,Sergio,José María,Fernando,"
    "Jorge,Luis,Alberto,Álvaro,Juan Carlos,Adrián,Diego,Raúl,Iván,Juan José,Rubén,Enrique,Óscar,Ramón,Vicente,"
    "Andrés,Joaquín,Santiago,Víctor,Mario,Eduardo,Jaime,Ignacio,Roberto,Alfonso,Salvador,Iker,Gorka,Unai,"
    "Brais,Xoán,Anxo,Jordi,Oriol,Pau,Ferran,Mohamed,Youssef,Andrei,Hristo,Wilson,Jefferson"
).split(",")
_COMMON = (
    "García,Rodríguez,González,Fernández,López,Martínez,Sánchez,Pérez,Gómez,Martín,Jiménez,Hernández,Ruiz,"
    "Díaz,Moreno,Muñoz,Álvarez,Romero,Gutiérrez,Alonso,Navarro,Torres,Domínguez,Ramos,Vázquez,Ramírez,Gil,"
    "Serrano,Morales,Molina,Blanco,Suárez,Castro,Ortega,Delgado,Ortiz,Marín,Rubio,Núñez,Medina,Sanz,Castillo,"
    "Iglesias,Cortés,Garrido,Santos,Guerrero,Lozano,Cano,Cruz,Méndez,Flores,Prieto,Herrera,Peña,León,Márquez,"
    "Cabrera,Gallego,Calvo,Vidal,Campos,Reyes,Vega,Fuentes,Carrasco,Díez,Aguilar,Caballero,Nieto,Santana,"
    "Pascual,Herrero,Montero,Lorenzo,Hidalgo,Giménez,Ibáñez,Ferrer,Durán,Santiago,Benítez,Vargas,Mora,Arias,"
    "Carmona,Crespo,Román,Pastor,Soto,Sáez,Velasco,Soler,Moya,Esteban,Parra,Bravo,Gallardo,Rojas,Puig,Ferrando,"
    "Etxeberria,Agirre,Mendizabal,Otero,Rey,Seoane,Barreiro,Bennani,Popescu,Ivanov"
).split(",")
_FRONT = (
    "Arri,Eche,Mendi,Goiko,Villa,Monte,Casa,Fuen,Val,Torre,Riba,Puig,Mas,Font,Serra,Cala,Oli,Zuma,Iru,Aza,"
    "Bere,Lare,Gala,Campo,Peñal,Roca,Sala,Mira,Agra,Couse,Seija,Barre,Quinta,Pare,Lama,Vila,Cebre,Outei,Lou,Are"
).split(",")
_BACK = (
    "zabala,verría,guren,berri,corta,goitia,longa,mayor,verde,frías,ramos,nova,dell,rubí,costa,lles,mar,blanca,"
    "seca,hermosa,valle,buena,redonda,albo,gorri,tegui,ñoz,biaga,chea,mendi,rreta,ldea,ruela,ncedo,iro,eira,"
    "oso,edo,ales,osa,ín,era,illo,uelo,eta,aga,ondo,alde,arte,zar,quet,erol,ols,anes,ents,erri"
).split(",")
SURNAMES = [*_COMMON, *(front + back for front, back in product(_FRONT, _BACK))]
STREETS = (
    "Calle Mayor,Calle Real,Plaza de la Constitución,Avenida de la Estación,Calle del Molino,Calle Nueva,"
    "Camino Viejo,Calle de la Fuente,Paseo de la Alameda,Calle del Carmen,Calle San Roque,Ronda Sur,"
    "Calle Doctor Fleming,Avenida de Europa,Calle de la Iglesia,Travesía del Olmo,Calle Almendro,Plaza Vieja"
).split(",")
TRADES = (
    "Talleres,Panadería,Construcciones,Transportes,Asesoría,Ferretería,Instalaciones,Carpintería,Clínica,"
    "Academia,Restaurante,Floristería,Peluquería,Limpiezas,Electricidad,Frutas,Autoescuela,Gestoría,"
    "Farmacia,Librería,Jardinería,Pinturas,Fontanería,Residencia"
).split(",")
COMPANIES = (
    "Hermanos Prieto,La Alameda,Nueva Era,San Roque,El Olmo,Hijos de Vidal,Tres Fuentes,Los Almendros,"
    "Puerta Sur,Río Claro,El Molino,Santa Lucía,Horizonte,Vega Baja,La Estación,Monte Alto,Las Eras,"
    "Campo Real,Torre Blanca,El Cauce,Las Huertas,Plaza Vieja,Dos Caminos,La Espiga,Mirador"
).split(",")
