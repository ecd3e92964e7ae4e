// A table that is wider than its place is shown row by row, each value beside its heading.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const tables = [...document.querySelectorAll("article table")].filter((t) => t.tHead && t.tBodies.length);
  for (const table of tables) {
    const heads = [...table.tHead.rows[0].cells];
    for (const row of table.tBodies[0].rows) {
      [...row.cells].forEach((cell, k) => {
        const value = document.createElement("div");
        value.className = "value";
        value.append(...cell.childNodes);
        const label = document.createElement("div");
        label.className = "label";
        label.append(...[...heads[k].childNodes].map((node) => node.cloneNode(true)));
        cell.append(label, value);
      });
    }
  }
  const place = () => {
    for (const table of tables) {
      table.classList.remove("by-row");
      const room = table.parentElement.clientWidth;
      table.classList.toggle("by-row", table.scrollWidth > room || table.offsetWidth > room);
    }
  };
  place();
  addEventListener("load", place);
  addEventListener("resize", place);
});
