/** Panels that can be folded to their titles. On phones, all are folded at first. */

const NARROW = '(max-width: 640px)';

const panelOf = (element: Element): HTMLDetailsElement | null => element.closest('details.panel');

/** Opens the panel that contains an element, and the panels around it. */
function reveal(element: Element): void {
  for (let panel = panelOf(element); panel; panel = panel.parentElement && panelOf(panel.parentElement))
    panel.open = true;
}

/** Opens the panel of an element and scrolls to the element. */
export function bringIntoView(element: Element, options: ScrollIntoViewOptions = {}): void {
  reveal(element);
  element.scrollIntoView(options);
}

/** Folds all panels if the page is narrow. Reporting something in a folded panel opens it. */
export function foldPanels(): void {
  if (!matchMedia(NARROW).matches) return;
  for (const panel of document.querySelectorAll<HTMLDetailsElement>('details.panel')) panel.open = false;
  new MutationObserver(changes => {
    for (const { target } of changes) {
      if (
        target instanceof HTMLElement &&
        !target.hidden &&
        target.matches('[role="alert"], [role="status"]')
      )
        reveal(target);
    }
  }).observe(document.body, { subtree: true, attributeFilter: ['hidden'] });
}
