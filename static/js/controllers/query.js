// A form of filters whose address says only what was asked, so that it can be shared and read.
//   <form method="get" data-controller="query">
//   <input data-implies="NAME=VALUE">: whoever writes there chooses that, too
export default function query(form) {
  const onlyAsked = ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  };
  const imply = ({ target }) => {
    const [name, value] = (target.dataset.implies ?? "").split("=");
    if (name && target.value && form.elements[name]) form.elements[name].value = value;
  };
  form.addEventListener("formdata", onlyAsked);
  form.addEventListener("input", imply);
  return () => {
    form.removeEventListener("formdata", onlyAsked);
    form.removeEventListener("input", imply);
  };
}
