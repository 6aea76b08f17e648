// Faults of layout, as expressions of the page: each is a list of what is wrong, empty if nothing is.

/** Boxes whose direct children are both bare text and parts of its sentence: each would be an item of its own, with a gap. */
export const brokenSentences = `[...document.querySelectorAll('body *')].filter((element) => {
  const { display } = getComputedStyle(element);
  if (!/flex|grid/.test(display)) return false;
  const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && /\\p{L}/u.test(node.data));
  return hasText && element.querySelector(':scope > :is(time, b, strong, em, code, i)') !== null;
}).map((element) => element.outerHTML.slice(0, 200))`;

/** Texts that tell rows apart and are cut. */
export const cutTexts = `[...document.querySelectorAll(
  '[data-list] :is(.name, .object, .where), .feed .subject, .needs a, .matrix th, .panel-head .summary'
)].filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== 'visible')
  .map((element) => element.outerHTML.slice(0, 200))`;

/** Controls of the header that lie over each other. */
export const overlaps = `(() => {
  const controls = [...document.querySelectorAll('.top :is(a, button, input, select, .zone, .live-word)')]
    .map((element) => ({ element, box: element.getBoundingClientRect() }))
    .filter(({ element, box }) => box.width > 0 && element.querySelector('a, button') === null);
  return controls.flatMap(({ element, box }, index) => controls.slice(index + 1)
    .filter(({ element: other, box: its }) => !other.contains(element) && !element.contains(other) &&
      box.left < its.right - 1 && its.left < box.right - 1 && box.top < its.bottom - 1 && its.top < box.bottom - 1)
    .map(({ element: other }) => element.outerHTML.slice(0, 80) + ' and ' + other.outerHTML.slice(0, 80)));
})()`;

/** Panels of which not even the head is to be seen. */
export const flatPanels = `[...document.querySelectorAll('.panel')].filter((panel) => panel.getBoundingClientRect().height < 24)
  .map((panel) => panel.className)`;

export const tooWide = `document.documentElement.scrollWidth > document.documentElement.clientWidth
  ? ['the page is wider than the screen'] : []`;

const headerControls = `[...document.querySelectorAll('.top :is(a, button, input, select, .zone, .who, .live-word)')]
  .map((element) => ({ element, box: element.getBoundingClientRect() })).filter(({ box }) => box.width > 0)`;

/** Controls of the header that the screen or their own box cuts. Names and chips have an ellipsis, and fields scroll. */
export const cutControls = `${headerControls}.filter(({ element, box }) => box.left < 0 || box.right > document.documentElement.clientWidth ||
  (element.scrollWidth > element.clientWidth + 1 && !element.matches('input, select, .chip, .who')
    && getComputedStyle(element).display !== 'inline'))
  .map(({ element }) => element.outerHTML.slice(0, 120))`;

/** Controls of the header below or above its first one. */
export const headerRows = `(() => {
  const controls = ${headerControls}.map(({ element, box }) => ({ element, middle: (box.top + box.bottom) / 2 }));
  return controls.filter(({ middle }) => Math.abs(middle - controls[0].middle) > 10)
    .map(({ element }) => element.outerHTML.slice(0, 120));
})()`;

/** Badges whose word is not on the line of the text beside it. */
export const unevenBadges = `(() => {
  const canvas = document.createElement('canvas').getContext('2d');
  const lineOf = (element) => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
      if (!/\\S/.test(text.data) || text.parentElement.closest('.visually-hidden') !== null) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      const [box] = range.getClientRects();
      if (box === undefined || box.width === 0) continue;
      const { fontStyle, fontWeight, fontSize, fontFamily } = getComputedStyle(text.parentElement);
      canvas.font = [fontStyle, fontWeight, fontSize, fontFamily].join(' ');
      const { fontBoundingBoxAscent: above, fontBoundingBoxDescent: below } = canvas.measureText('x');
      return { top: box.top, bottom: box.bottom, baseline: box.top + (box.height * above) / (above + below) };
    }
    return null;
  };
  return [...document.querySelectorAll('.badge')].flatMap((badge) => {
    const own = lineOf(badge);
    const item = badge.closest('.badges') ?? badge;
    const { display, alignItems } = getComputedStyle(item.parentElement);
    if (own === null || (/flex|grid/.test(display) && alignItems !== 'baseline')) return [];
    return [...item.parentElement.children].filter((other) => other !== item).flatMap((other) => {
      const its = lineOf(other);
      const isBeside = its !== null && its.top < (own.top + own.bottom) / 2 && (own.top + own.bottom) / 2 < its.bottom;
      return isBeside && Math.abs(its.baseline - own.baseline) > 1
        ? [badge.outerHTML.slice(0, 80) + ' is off by ' + (own.baseline - its.baseline) + ' beside ' + other.outerHTML.slice(0, 80)] : [];
    });
  });
})()`;
