// A form of filters whose address says only what was asked, so that it can be shared and read.
//   <form method="get" data-controller="query">
export default function query(form) {
  const onlyAsked = ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  };
  form.addEventListener("formdata", onlyAsked);
  return () => form.removeEventListener("formdata", onlyAsked);
}
