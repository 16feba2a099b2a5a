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
