// Runs in the page before its own code: a wallet as an extension injects it (EIP-6963, EIP-1193).
(() => {
  const icon =
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAxNiAxNiI+PHJlY3Qgd2lkdGg9IjE2IiBoZWlnaHQ9IjE2IiByeD0iNCIgZmlsbD0iIzVhN2RhOCIvPjwvc3ZnPg==";
  const info = {
    uuid: "3f0e7a52-9b1c-4d2e-8a6f-0123456789ab",
    name: "Test wallet",
    icon,
    rdns: "example.test.wallet",
  };
  const provider = {
    async request({ method, params = [] }) {
      const answer = await window.testWalletRequest(method, params);
      if (answer.error) {
        throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
      }
      return answer.result;
    },
    on() {},
    removeListener() {},
  };
  const detail = Object.freeze({ info: Object.freeze(info), provider });
  const announce = () =>
    window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
