/** Panels that can be folded to their titles. On a phone all of them are at first: a person opens those that he wants. */

const NARROW = '(max-width: 640px)';

const panelOf = (element: Element): HTMLDetailsElement | null => element.closest('details.panel');

/** Opens the panel that an element is in, and the panel that this one is in. */
function reveal(element: Element): void {
  for (let panel = panelOf(element); panel; panel = panel.parentElement && panelOf(panel.parentElement))
    panel.open = true;
}

/** Shows an element: its panel opens, and the page scrolls to it. */
export function bringIntoView(element: Element, options: ScrollIntoViewOptions = {}): void {
  reveal(element);
  element.scrollIntoView(options);
}

/** Folds the panels where the page is narrow. What is reported in a folded one opens it. */
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
