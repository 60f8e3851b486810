// Runs in the page before its own code: keeps what a screen reader would be told, in order.
(() => {
  window.testHeard = [];
  const LIVE = '[aria-live="polite"], [aria-live="assertive"], [role="status"], [role="alert"]';
  const liveOf = ({ target }) =>
    (target instanceof Element ? target : target.parentElement)?.closest(LIVE);
  const hear = (live) => {
    const text = live.textContent.replace(/\s+/g, " ").trim();
    if (!live.hidden && text !== "") {
      window.testHeard.push(text);
    }
  };
  new MutationObserver((changes) => {
    new Set(changes.map(liveOf).filter(Boolean)).forEach(hear);
  }).observe(document, {
    childList: true,
    characterData: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["hidden"],
  });
})();
