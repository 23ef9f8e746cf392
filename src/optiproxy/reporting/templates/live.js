// While the search runs, the page asks for news and loads itself again where there are some.
const news = async () => {
  const shown = document.querySelector("meta[name=state]").content;
  try {
    const answer = await fetch("state", { cache: "no-store" });
    if (answer.ok && (await answer.text()) !== shown) return location.reload();
    document.body.classList.remove("stale");
  } catch {
    // The server has ended; the page stays as it is.
    document.body.classList.add("stale");
  }
  setTimeout(news, 2000);
};
setTimeout(news, 2000);
