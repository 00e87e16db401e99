// Behaviour: connects every [data-controller] of the page, and of what htmx swaps in, to its module.
// <div data-controller="rows panes"> loads controllers/rows.js and controllers/panes.js once each and
// calls their default function with the element; what it returns is called when the element goes.
import { observe } from "./lib/controllers.js";
import "./lib/swaps.js";

observe({
  composer: () => import("./controllers/composer.js"),
  conditions: () => import("./controllers/conditions.js"),
  copy: () => import("./controllers/copy.js"),
  countdown: () => import("./controllers/countdown.js"),
  desk: () => import("./controllers/desk.js"),
  dialog: () => import("./controllers/dialog.js"),
  draft: () => import("./controllers/draft.js"),
  errors: () => import("./controllers/errors.js"),
  form: () => import("./controllers/form.js"),
  idle: () => import("./controllers/idle.js"),
  link: () => import("./controllers/link.js"),
  map: () => import("./controllers/map.js"),
  matrix: () => import("./controllers/matrix.js"),
  menu: () => import("./controllers/menu.js"),
  order: () => import("./controllers/order.js"),
  palette: () => import("./controllers/palette.js"),
  panes: () => import("./controllers/panes.js"),
  parts: () => import("./controllers/parts.js"),
  passkey: () => import("./controllers/passkey.js"),
  places: () => import("./controllers/places.js"),
  preferences: () => import("./controllers/preferences.js"),
  print: () => import("./controllers/print.js"),
  progress: () => import("./controllers/progress.js"),
  query: () => import("./controllers/query.js"),
  rail: () => import("./controllers/rail.js"),
  reveal: () => import("./controllers/reveal.js"),
  rows: () => import("./controllers/rows.js"),
  shortcuts: () => import("./controllers/shortcuts.js"),
  stream: () => import("./controllers/stream.js"),
  tabs: () => import("./controllers/tabs.js"),
  talk: () => import("./controllers/talk.js"),
  toast: () => import("./controllers/toast.js"),
  tree: () => import("./controllers/tree.js"),
  upload: () => import("./controllers/upload.js"),
  visitor: () => import("./controllers/visitor.js"),
  when: () => import("./controllers/when.js"),
});
