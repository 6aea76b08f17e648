// Rows of HAProxy's `show stat` (management guide of HAProxy 2.6, section 9.1), and the lines of `show info`.

export type StatRow = ReadonlyMap<string, string>;

export function statRowsOf(csv: string): StatRow[] {
  const [head = '', ...lines] = csv.split('\n');
  const columns = head.replace(/^# /, '').split(',');
  return lines
    .filter((line) => line !== '')
    .map((line) => new Map(cellsOf(line).map((cell, at) => [columns[at] ?? '', cell] as const)));
}

/** A cell with a comma or a quote is in quotes: what a member answered to its check may have both. */
function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const cells = line.match(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g) ?? [];
  return cells.map((cell) => cell.replace(/,$/, '')).map((cell) => (cell.startsWith('"') ? unquoted(cell) : cell));
}

function unquoted(cell: string): string {
  return cell.slice(1, -1).replaceAll('""', '"');
}

export function isListenerRow(row: StatRow): boolean {
  return textOf(row, 'type') === '0' && textOf(row, 'pxname').startsWith('l_');
}

export function isPoolRow(row: StatRow): boolean {
  return textOf(row, 'type') === '1' && /^[po]_/.test(textOf(row, 'pxname'));
}

export function isMemberRow(row: StatRow): boolean {
  return textOf(row, 'type') === '2' && textOf(row, 'svname').startsWith('m_');
}

export function textOf(row: StatRow, column: string): string {
  return row.get(column) ?? '';
}

export function numberOf(row: StatRow, column: string): number {
  return Number(row.get(column) ?? 0) || 0;
}

export function infoOf(info: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(info)?.[1] ?? '';
}

/** Time for queueing, connecting, and until the answer begins. HAProxy's `ttime` also includes a client's pauses before its next request. */
export function latencyOf(row: StatRow): number {
  return numberOf(row, 'qtime') + numberOf(row, 'ctime') + numberOf(row, 'rtime');
}
