// Layout faults, as expressions of the page. Each is a list of faults, empty if there are none.

/**
 * Boxes whose direct children are both bare text and parts of its sentence. Each would become a separate item, with a
 * gap.
 */
export const brokenSentences = `[...document.querySelectorAll('body *')].filter((element) => {
  const { display } = getComputedStyle(element);
  if (!/flex|grid/.test(display)) return false;
  const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && /\\p{L}/u.test(node.data));
  return hasText && element.querySelector(':scope > :is(time, b, strong, em, code, i)') !== null;
}).map((element) => element.outerHTML.slice(0, 200))`;

/** Truncated texts that distinguish rows. */
export const cutTexts = `[...document.querySelectorAll(
  '[data-list] :is(.name, .object, .where), .feed .subject, .needs a, .matrix th, .panel-head .summary'
)].filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== 'visible')
  .map((element) => element.outerHTML.slice(0, 200))`;

/**
 * Program words in texts for people: camel case, enum values, IDs. Text in `code`, and text to be copied, is meant for
 * programs. Names of types and versions that are always written so are not faults.
 */
export const codeWords = `(() => {
  const known = new RegExp('^(?:GraphiQL|GraphQL|JavaScript|HAProxy|OpenSSH|OpenStack|PowerDNS|IPv[46]|[KMGTP]iB|[A-Z]?VLANs?|LBaaS|CIDRs|URLs|IDs|gRPC|' +
    'AAAA|ALPN|AES|BASE64|CIDR|CNAME|DHCP|ECDSA|GSLBs?|HSTS|HTTPS?|ICMP|INIT|JSON|NETCONF|OVSDB|SERVFAIL|SHA|SNMP|TCP|TYPE|NAMESPACE|NAME|HOST|PORT|UUID|VDOM|PATCH|POST|HEAD|TRACE|OPTIONS|CONNECT|DELETE|UTC|' +
    'YAML|VRRP|E[A-Z]{5,})$');
  const faults = (text) => text.split(/[^\\p{L}\\p{N}_=-]+/u).filter((word) => !known.test(word) && (
    /^[a-z]+[a-z0-9]*[A-Z]/.test(word) || /^[A-Z][a-z]+[A-Z]/.test(word) || /^[A-Z][A-Z0-9]*_[A-Z0-9_]+$/.test(word) ||
    /^[A-Z]{4,}$/.test(word) || /^[0-9a-f-]{32,}$/i.test(word) || /^(?=.*\\d)(?=.*[A-Z])[\\w=-]{20,}$/.test(word)));
  const places = 'code, pre, kbd, samp, textarea, .mono, script, style, noscript';
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
    if (text.parentElement.closest(places) === null) found.push([text.data, text.parentElement]);
  }
  for (const element of document.querySelectorAll('[aria-label], [placeholder], [title]')) {
    if (element.closest(places) === null)
      for (const name of ['aria-label', 'placeholder', 'title']) found.push([element.getAttribute(name) ?? '', element]);
  }
  return found.flatMap(([text, element]) => faults(text).map((word) => word + ' in ' + element.outerHTML.slice(0, 160)));
})()`;

/** Controls of the header that overlap. */
export const overlaps = `(() => {
  const controls = [...document.querySelectorAll('.top :is(a, button, input, select, .zone, .live-word)')]
    .map((element) => ({ element, box: element.getBoundingClientRect() }))
    .filter(({ element, box }) => box.width > 0 && element.querySelector('a, button') === null);
  return controls.flatMap(({ element, box }, index) => controls.slice(index + 1)
    .filter(({ element: other, box: its }) => !other.contains(element) && !element.contains(other) &&
      box.left < its.right - 1 && its.left < box.right - 1 && box.top < its.bottom - 1 && its.top < box.bottom - 1)
    .map(({ element: other }) => element.outerHTML.slice(0, 80) + ' and ' + other.outerHTML.slice(0, 80)));
})()`;

/** Panels whose head is not even visible. */
export const flatPanels = `[...document.querySelectorAll('.panel')].filter((panel) => panel.getBoundingClientRect().height < 24)
  .map((panel) => panel.className)`;

export const tooWide = `document.documentElement.scrollWidth > document.documentElement.clientWidth
  ? ['the page is wider than the screen'] : []`;

const headerControls = `[...document.querySelectorAll('.top :is(a, button, input, select, .zone, .who, .live-word)')]
  .map((element) => ({ element, box: element.getBoundingClientRect() })).filter(({ box }) => box.width > 0)`;

/**
 * Controls of the header that are cut off by the screen or their own box. Names and chips have an ellipsis, and fields
 * scroll.
 */
export const cutControls = `${headerControls}.filter(({ element, box }) => box.left < 0 || box.right > document.documentElement.clientWidth ||
  (element.scrollWidth > element.clientWidth + 1 && !element.matches('input, select, .chip, .who')
    && getComputedStyle(element).display !== 'inline'))
  .map(({ element }) => element.outerHTML.slice(0, 120))`;

/** Controls of the header that are not in its first row. */
export const headerRows = `(() => {
  const controls = ${headerControls}.map(({ element, box }) => ({ element, middle: (box.top + box.bottom) / 2 }));
  return controls.filter(({ middle }) => Math.abs(middle - controls[0].middle) > 10)
    .map(({ element }) => element.outerHTML.slice(0, 120));
})()`;

/** Badges whose word is not on the same line as the text beside it. */
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
