// A click on a name in a legend lights its curves on the whole page, or dims them.
for (const button of document.querySelectorAll(".legend button")) {
  button.addEventListener("click", () => {
    const lit = button.getAttribute("aria-pressed") !== "true";
    const key = button.dataset.series;
    for (const drawn of document.querySelectorAll("svg ." + key)) {
      drawn.classList.toggle("quiet", !lit);
      // What is lit lies above the gray curves.
      if (lit && drawn.tagName === "path") drawn.parentNode.append(drawn);
    }
    for (const twin of document.querySelectorAll(`.legend button[data-series="${key}"]`)) {
      twin.setAttribute("aria-pressed", lit);
    }
  });
}
