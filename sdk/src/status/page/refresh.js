// Asks for the page again and again, and puts in what has changed: the place on the page, what is selected and what is
// unfolded stay as they are.
const EVERY = 2000, PATIENCE = 5000;
const lost = document.getElementById("lost");
let answered = new Date();

function morph(old, now) {
  if (old.nodeType !== now.nodeType || old.nodeName !== now.nodeName) {
    old.replaceWith(now);
  } else if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== now.data) old.data = now.data;
  } else {
    for (const { name, value } of now.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (name !== "open" && !now.hasAttribute(name)) old.removeAttribute(name);
    }
    const [olds, news] = [[...old.childNodes], [...now.childNodes]];
    news.forEach((node, at) => at < olds.length ? morph(olds[at], node) : old.append(node));
    olds.slice(news.length).forEach((node) => node.remove());
  }
}

function show(page) {
  const own = (of) => of.querySelector("script").textContent + of.querySelector("style").textContent;
  // Another version of the operator answers.
  if (own(page) !== own(document)) return location.reload();
  morph(document.querySelector("main"), page.querySelector("main"));
  morph(document.querySelector("link[rel=icon]"), page.querySelector("link[rel=icon]"));
  document.title = page.title;
}

async function refresh() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(answer.status);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    answered = new Date();
    lost.hidden = true;
  } catch {
    const time = lost.querySelector("time");
    time.dateTime = answered.toISOString();
    time.textContent = answered.toISOString().slice(11, 19) + " UTC";
    lost.hidden = false;
  }
  document.body.classList.toggle("stale", !lost.hidden);
}

async function goOn() {
  // Nobody looks: nothing is asked.
  if (!document.hidden) await refresh();
  setTimeout(goOn, EVERY);
}
document.addEventListener("visibilitychange", () => document.hidden || refresh());
setTimeout(goOn, EVERY);
