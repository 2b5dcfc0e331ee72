// Small questions: dialogs that are closed by one of their buttons.

/**
 * Shows a dialog and gives the value of the button that closed it, "" for Escape.
 * @param {Record<string, string>} words  texts for the dialog's slots
 */
export function ask(dialog, words) {
  for (const [name, text] of Object.entries(words)) {
    for (const slot of dialog.querySelectorAll(`[data-slot="${name}"]`)) slot.textContent = text;
  }
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}
