"use strict";
(() => {
  // Sort a table by a column: numbers as numbers, other values as text; rows with equal values keep their order.
  const compare = (a, b) => {
    const x = Number(a), y = Number(b);
    return a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y) ? x - y : a.localeCompare(b);
  };
  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.order ?? cell.textContent.trim();
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (head.tagName !== "TH") return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = [...body.rows].sort((a, b) => (down ? -1 : 1) * compare(key(a, column), key(b, column)));
        body.append(...rows);
      });
    });
  }

  // Show the rows that have the selected state and contain the text in the search field.
  const tiles = [...document.querySelectorAll("button.tile")];
  if (tiles.length) {
    const search = document.querySelector("input[type=search]");
    const status = document.querySelector("#count");
    const tables = [...document.querySelectorAll("table.filtered")];
    const show = () => {
      const state = tiles.find((tile) => tile.getAttribute("aria-pressed") === "true").dataset.state;
      const words = search.value.trim().toLowerCase();
      const rows = [...tables[0].tBodies[0].rows];
      const shown = new Set();
      for (const row of rows) {
        row.hidden = (state !== "" && row.dataset.state !== state) || !row.textContent.toLowerCase().includes(words);
        if (!row.hidden) shown.add(row.id);
      }
      for (const row of tables.slice(1).flatMap((table) => [...table.tBodies[0].rows])) {
        row.hidden = !shown.has(row.querySelector("a").hash.slice(1));
      }
      status.textContent = shown.size === rows.length ? "" : `${shown.size} of ${rows.length}`;
    };
    for (const tile of tiles) {
      tile.addEventListener("click", () => {
        for (const other of tiles) other.setAttribute("aria-pressed", String(other === tile));
        show();
      });
    }
    search.addEventListener("input", show);
  }

  // Enlarge a picture; Escape, the button or a click closes it.
  const dialog = document.querySelector("dialog.enlarged");
  if (dialog) {
    const shown = dialog.querySelector("img");
    for (const button of document.querySelectorAll("figure button")) {
      button.addEventListener("click", () => {
        const img = button.querySelector("img");
        shown.src = img.src;
        shown.alt = img.alt;
        dialog.showModal();
      });
    }
    dialog.addEventListener("click", () => dialog.close());
  }
})();
