// A point on a map (Leaflet). Without tiles or network a grid of coordinates with a scale is drawn.
//   component « map »; with data-latitude-field and data-longitude-field the point is what they say, a
//   click fills them, and while they say none the map shows where it begins
export function grid(L, map) {
  const layer = L.gridLayer({ maxZoom: 19 });
  layer.createTile = (place) => {
    const cell = document.createElement("div");
    const corner = map.unproject(place.scaleBy(layer.getTileSize()), place.z);
    cell.className = "v-map-cell";
    cell.textContent = `${corner.lat.toFixed(4)}, ${corner.lng.toFixed(4)}`;
    return cell;
  };
  return layer;
}

function typed(fields) {
  const point = fields.map((field) => (field.value.trim() ? Number(field.value) : NaN));
  return Math.abs(point[0]) <= 90 && Math.abs(point[1]) <= 180 ? point : null;
}

export default async function map(figure) {
  const { tileUrl, attribution, label, zoom, latitudeField, longitudeField } = figure.dataset;
  const view = figure.querySelector(".v-map-view");
  const words = figure.querySelector("figcaption .num");
  const fields = [latitudeField, longitudeField].map((id) => id && document.getElementById(id));
  const picks = fields.every(Boolean);
  const begin = [Number(figure.dataset.latitude), Number(figure.dataset.longitude)];
  const point = picks ? typed(fields) : begin;
  await import("../../vendor/leaflet/leaflet.js");
  const { L } = globalThis;
  view.hidden = false;
  const shown = L.map(view, { center: point ?? begin, zoom: point ? 16 : Number(zoom), scrollWheelZoom: false });
  shown.attributionControl.setPrefix(false);
  L.control.scale({ imperial: false }).addTo(shown);
  const mark = L.circleMarker(point ?? begin, { radius: 9, weight: 3, fillOpacity: 1, className: "v-map-point" });
  mark.bindTooltip(label);
  if (point) mark.addTo(shown);
  if (tileUrl) {
    const tiles = L.tileLayer(tileUrl, { attribution, maxZoom: 19 }).addTo(shown);
    let drawn = false;
    tiles.on("tileload", () => { drawn = true; });
    tiles.on("tileerror", () => {
      if (drawn || !shown.hasLayer(tiles)) return;
      tiles.remove();
      grid(L, shown).addTo(shown);
    });
  } else {
    grid(L, shown).addTo(shown);
  }
  const resized = new ResizeObserver(() => shown.invalidateSize({ animate: false }));
  resized.observe(view); // a tab that was hidden has no size until it is opened
  const follow = () => {
    const there = typed(fields);
    words.textContent = there ? `· ${there.join(", ")}` : "";
    if (!there) return mark.remove();
    mark.setLatLng(there).addTo(shown);
    return shown.panInside(there);
  };
  if (picks) {
    follow();
    shown.on("click", ({ latlng }) => {
      const { lat, lng } = latlng.wrap();
      fields[0].value = lat.toFixed(6);
      fields[1].value = lng.toFixed(6);
      for (const field of fields) field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    for (const field of fields) field.addEventListener("input", follow);
  }
  return () => {
    resized.disconnect();
    for (const field of fields) field?.removeEventListener?.("input", follow);
  };
}
