// Counts down the seconds of an offer before somebody's eyes; for readers they are told once, in words.
//   <b data-controller="countdown" data-seconds="30" aria-hidden="true">30 s</b>
export default function countdown(place) {
  const until = performance.now() + Number(place.dataset.seconds) * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
    place.textContent = `${left} s`;
    place.classList.toggle("is-short", left <= 10);
  };
  const timer = setInterval(tick, 500);
  tick();
  return () => clearInterval(timer);
}
