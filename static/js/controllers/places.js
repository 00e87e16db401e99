// Districts on a map (Leaflet), each a circle as large as its demand; the table beside it says the same.
//   <div data-controller="places" data-tile-url data-attribution> with .v-map-view and a JSON script of
//   [{name, count, latitude, longitude, text, url}]
import { grid } from "./map.js";

const LEAST = 6;
const MOST = 30;

export default async function places(element) {
  const view = element.querySelector(".v-map-view");
  const found = JSON.parse(element.querySelector("script").textContent);
  if (!found.length) return undefined;
  await import("../../vendor/leaflet/leaflet.js");
  const { L } = globalThis;
  const { tileUrl, attribution } = element.dataset;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  view.hidden = false;
  const shown = L.map(view, { scrollWheelZoom: false, zoomSnap: 0.25, zoomAnimation: !calm, fadeAnimation: !calm });
  shown.attributionControl.setPrefix(false);
  const frame = () => {
    const corners = L.latLngBounds(found.map((place) => [place.latitude, place.longitude]));
    shown.fitBounds(corners.pad(0.2), { maxZoom: 14, animate: false });
  };
  frame();
  L.control.scale({ imperial: false }).addTo(shown);
  (tileUrl ? L.tileLayer(tileUrl, { attribution, maxZoom: 19 }) : grid(L, shown)).addTo(shown);
  const most = Math.max(...found.map((place) => place.count), 1);
  for (const place of found) {
    const radius = LEAST + (MOST - LEAST) * Math.sqrt(place.count / most);
    const options = { radius, weight: 2, fillOpacity: 0.7, className: "bd-place", keyboard: false };
    const circle = L.circleMarker([place.latitude, place.longitude], options).addTo(shown);
    const words = document.createElement("span"); // a name is text, whatever signs are in it
    words.textContent = `${place.name}: ${place.text}`;
    circle.bindTooltip(words);
    circle.on("click", () => location.assign(place.url));
  }
  const resized = new ResizeObserver(() => {
    shown.invalidateSize({ animate: false });
    frame();
  });
  resized.observe(view);
  return () => {
    resized.disconnect();
    shown.remove();
  };
}
