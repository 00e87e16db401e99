// A point on a map (Leaflet). Without tiles or network a grid of coordinates with a scale is drawn.
//   component « map »; with data-latitude-field and data-longitude-field a click moves the point
function grid(L, map) {
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
  L.control.scale({ imperial: false }).addTo(shown);
  const mark = L.circleMarker(point, { radius: 9, weight: 3, fillOpacity: 1, className: "v-map-point" });
  mark.addTo(shown).bindTooltip(label);
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
  if (fields.every(Boolean)) {
    shown.on("click", ({ latlng }) => {
      mark.setLatLng(latlng);
      fields[0].value = latlng.lat.toFixed(6);
      fields[1].value = latlng.lng.toFixed(6);
      figure.querySelector("figcaption .num").textContent = `· ${fields[0].value}, ${fields[1].value}`;
    });
  }
  return () => resized.disconnect();
}
