// A form that a passkey fills in: asks the device, puts its answer in `credential` and sends.
//   <form data-controller="passkey" data-options="ID of a JSON script">   sign in or confirm
//   <form data-controller="passkey" data-options-url="…">                 the options are fetched first
//   <form … data-create>                                                  add a new one
import { getJson } from "../lib/http.js";
import { toast } from "../lib/say.js";
import { text } from "../lib/texts.js";

async function create(options, form) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey);
  const alone = form.elements.passwordless?.checked ?? false;
  publicKey.authenticatorSelection = {
    ...publicKey.authenticatorSelection,
    residentKey: alone ? "required" : "discouraged",
    requireResidentKey: alone,
    ...(alone && { userVerification: "required" }),
  };
  return navigator.credentials.create({ publicKey });
}

async function get(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  return navigator.credentials.get({ publicKey });
}

export default function passkey(form) {
  const options = async () => {
    if (!form.dataset.optionsUrl) return JSON.parse(document.getElementById(form.dataset.options).textContent);
    return (await getJson(form.dataset.optionsUrl)).request_options;
  };
  const submit = async (event) => {
    event.preventDefault();
    const button = event.submitter;
    button?.setAttribute("aria-busy", "true");
    try {
      const asked = await options();
      const credential = "create" in form.dataset ? await create(asked, form) : await get(asked);
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      button?.removeAttribute("aria-busy");
      const refused = error.name === "NotAllowedError" || error.name === "AbortError";
      toast(text(refused ? "passkey_cancelled" : "passkey_impossible"), "error");
    }
  };
  form.addEventListener("submit", submit);
  return () => form.removeEventListener("submit", submit);
}
