// Before anything is drawn: the theme that was chosen on an earlier visit. A plain script, since
// modules run after the first paint. view/theme.js has it from then on.

try {
  const { theme } = JSON.parse(localStorage.getItem("tapgrid:view") ?? "{}");
  if (theme === "dark" || theme === "light") {
    document.documentElement.dataset.theme = theme;
  }
} catch {
  // Blocked or broken storage: the system's theme.
}
