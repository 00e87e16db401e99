// A list whose things are put in order by keys: Alt with an arrow presses the buttons of the line that
// has the focus. The focus stays on what was moved, also when it has come to an end of the list.
//   <ol data-controller="order"><li id="…"> … <button value="up"> <button value="down">
export default function order(list) {
  const press = (event) => {
    const to = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (!event.altKey || !to) return;
    const button = event.target.closest("li")?.querySelector(`button[value="${to}"]`);
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    event.preventDefault();
    button.focus();
    button.click();
  };
  const hold = (event) => {
    if (event.target.closest("button[aria-disabled=true]")) event.preventDefault();
  };
  list.addEventListener("keydown", press);
  list.addEventListener("click", hold);
  return () => {
    list.removeEventListener("keydown", press);
    list.removeEventListener("click", hold);
  };
}
