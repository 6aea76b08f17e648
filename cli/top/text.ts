// Texts that fit into a terminal.

/** A colour of the terminal, as the printer writes it. */
const colour = /(\p{Cc}\[[0-9;]*m)/u;
const plain = '\u001b[0m';

/** The beginning of a line that is no wider than `width`. Colours have no width. */
export function cutLine(line: string, width: number): string {
  let left = width;
  let isColoured = false;
  let cut = '';
  for (const [at, part] of line.split(colour).entries()) {
    if (at % 2 === 1) {
      cut += left > 0 ? part : '';
      isColoured = left > 0 ? part !== plain : isColoured;
      continue;
    }
    const letters = [...part];
    cut +=
      letters.length > left && left > 0 ? `${letters.slice(0, left - 1).join('')}…` : letters.slice(0, left).join('');
    left -= Math.min(left, letters.length);
  }
  return isColoured ? `${cut}${plain}` : cut;
}

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** `3m` for a time three minutes ago, `in 12d` for a future one. Other text is unchanged. */
export function ageText(text: string, nowMs: number): string {
  if (!timePattern.test(text)) return text;
  const ms = nowMs - Date.parse(text);
  // Clocks differ a little.
  return ms < -2_000 ? `in ${durationText(-ms)}` : durationText(Math.max(0, ms));
}

function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
