// A button that prints the page, or saves it as a PDF where the browser offers that.
export default function print(button) {
  const go = () => window.print();
  button.addEventListener("click", go);
  return () => button.removeEventListener("click", go);
}
