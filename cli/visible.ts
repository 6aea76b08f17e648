// Texts for a terminal. Text from elsewhere, especially from devices, may contain control characters, which a terminal would execute. They are shown
// as text instead.

// Control characters except tab and line feed, and characters that reorder or hide text.
const controls = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
/** The colours of printer.ts. */
const colour = /(\p{Cc}\[(?:0|31|32|33|90)m)/u;

/**
 * Replaces control characters by `\u001b`, which is also their JSON notation. Line feeds and tabs stay. `colours`: keeps the printer's own colours as
 * well.
 */
export function visible(text: string, { colours = false } = {}): string {
  if (!colours) return shown(text);
  return text
    .split(colour)
    .map((part, index) => (index % 2 === 1 && part.startsWith('\u001b') ? part : shown(part)))
    .join('');
}

/** Whether it is shown as it is. */
export function isVisible(text: string): boolean {
  return text.search(controls) < 0;
}

function shown(text: string): string {
  return text.replace(controls, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
