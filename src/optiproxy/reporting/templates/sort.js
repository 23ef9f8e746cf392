"use strict";
// A click on a column's head sorts the table by it; a second click turns the order round.
for (const head of document.querySelectorAll("th[data-sort]")) {
  head.tabIndex = 0;
  head.addEventListener("keydown", (event) => event.key === "Enter" && head.click());
  head.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = head.closest("table").tBodies[0];
    const value = (row) => row.cells[head.cellIndex].dataset.value ?? row.cells[head.cellIndex].textContent;
    const order = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const by = Number.isNaN(Number(x)) || Number.isNaN(Number(y)) ? x.localeCompare(y) : Number(x) - Number(y);
      return down ? -by : by;
    };
    body.append(...[...body.rows].sort(order));
  });
}
