// Behaviour: connects every [data-controller] of the page, and of what htmx swaps in, to its module.
// <div data-controller="rows panes"> loads controllers/rows.js and controllers/panes.js once each and
// calls their default function with the element; what it returns is called when the element goes.
import { observe } from "./lib/controllers.js";
import "./lib/swaps.js";

observe({
  composer: () => import("./controllers/composer.js"),
  conditions: () => import("./controllers/conditions.js"),
  copy: () => import("./controllers/copy.js"),
  dialog: () => import("./controllers/dialog.js"),
  errors: () => import("./controllers/errors.js"),
  form: () => import("./controllers/form.js"),
  idle: () => import("./controllers/idle.js"),
  link: () => import("./controllers/link.js"),
  map: () => import("./controllers/map.js"),
  matrix: () => import("./controllers/matrix.js"),
  menu: () => import("./controllers/menu.js"),
  palette: () => import("./controllers/palette.js"),
  panes: () => import("./controllers/panes.js"),
  passkey: () => import("./controllers/passkey.js"),
  preferences: () => import("./controllers/preferences.js"),
  progress: () => import("./controllers/progress.js"),
  query: () => import("./controllers/query.js"),
  rail: () => import("./controllers/rail.js"),
  reveal: () => import("./controllers/reveal.js"),
  rows: () => import("./controllers/rows.js"),
  shortcuts: () => import("./controllers/shortcuts.js"),
  stream: () => import("./controllers/stream.js"),
  tabs: () => import("./controllers/tabs.js"),
  toast: () => import("./controllers/toast.js"),
  tree: () => import("./controllers/tree.js"),
  upload: () => import("./controllers/upload.js"),
});
