// Runs in the page before its own code: keeps what a screen reader would be told, in order.
(() => {
  window.testHeard = [];
  const LIVE = '[aria-live="polite"], [aria-live="assertive"], [role="status"], [role="alert"]';
  const hear = (node) => {
    const element = node instanceof Element ? node : node.parentElement;
    const live = element?.closest(LIVE);
    const text = live?.textContent?.replace(/\s+/g, " ").trim() ?? "";
    if (live && !live.hidden && text !== "" && text !== window.testHeard.at(-1)) {
      window.testHeard.push(text);
    }
  };
  new MutationObserver((changes) => changes.forEach(({ target }) => hear(target))).observe(document, {
    childList: true,
    characterData: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["hidden"],
  });
})();
