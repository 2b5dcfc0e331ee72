// On a narrow screen: one column at a time, chosen by tabs.

export function makeTabs() {
  const tabs = [...document.querySelectorAll("[data-tab]")];

  function show(tab) {
    for (const other of tabs) {
      other.setAttribute("aria-selected", other === tab);
      other.tabIndex = other === tab ? 0 : -1;
      document.getElementById(`column-${other.dataset.tab}`).toggleAttribute("data-current", other === tab);
    }
    tab.focus();
    tab.scrollIntoView({ block: "nearest", inline: "center" });
  }

  tabs.forEach((tab, place) => {
    tab.tabIndex = place === 0 ? 0 : -1;
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) show(tabs[(place + step + tabs.length) % tabs.length]);
    });
  });
}
