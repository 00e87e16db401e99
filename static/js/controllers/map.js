// A point on a map (Leaflet). Without tiles or network the coordinates stay in words below.
//   component « map »; with data-latitude-field and data-longitude-field a click moves the point
export default async function map(figure) {
  const { tileUrl, attribution, label, latitudeField, longitudeField } = figure.dataset;
  const view = figure.querySelector(".v-map-view");
  const fields = [latitudeField, longitudeField].map((id) => id && document.getElementById(id));
  const point = [Number(figure.dataset.latitude), Number(figure.dataset.longitude)];
  await import("../../vendor/leaflet/leaflet.js");
  const { L } = globalThis;
  view.hidden = false;
  const shown = L.map(view, { center: point, zoom: 16, scrollWheelZoom: false });
  shown.attributionControl.setPrefix(false);
  const tiles = L.tileLayer(tileUrl, { attribution, maxZoom: 19 }).addTo(shown);
  const mark = L.circleMarker(point, { radius: 9, weight: 3, fillOpacity: 1, className: "v-map-point" });
  mark.addTo(shown).bindTooltip(label);
  let drawn = false;
  tiles.on("tileload", () => { drawn = true; });
  tiles.on("tileerror", () => { if (!drawn) view.hidden = true; });
  if (fields.every(Boolean)) {
    shown.on("click", ({ latlng }) => {
      mark.setLatLng(latlng);
      fields[0].value = latlng.lat.toFixed(6);
      fields[1].value = latlng.lng.toFixed(6);
      figure.querySelector("figcaption .num").textContent = `· ${fields[0].value}, ${fields[1].value}`;
    });
  }
}
