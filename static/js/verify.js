// A QR opens the verification page with the code after the #, which browsers send to nobody: it is
// written into the form, taken out of the address, and sent as a person would send it.
const form = document.getElementById("verify-form");
const code = decodeURIComponent(location.hash.slice(1));

if (form && code.length >= 28 && code.length <= 80) {
  history.replaceState(null, "", location.pathname);
  form.elements.code.value = code;
  form.requestSubmit();
}
