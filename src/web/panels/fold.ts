/** Panels that can be folded to their titles. On phones, all are folded when the page opens. */

const NARROW = '(max-width: 640px)';

const panelOf = (element: Element): HTMLDetailsElement | null => element.closest('details.panel');

/** Opens all panels that contain an element. */
function reveal(element: Element): void {
  for (let panel = panelOf(element); panel; panel = panel.parentElement && panelOf(panel.parentElement))
    panel.open = true;
}

/** Opens the panels that contain an element and scrolls to it. */
export function bringIntoView(element: Element, options: ScrollIntoViewOptions = {}): void {
  reveal(element);
  element.scrollIntoView(options);
}

/** Folds all panels if the page is narrow. A panel opens again when a message appears in it. */
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
