// Whether a migration only adds to the tables: processes of the version before it keep working on them, so they may run and start during an upgrade.
// Whatever is not known to be safe counts as a contraction. A migration may also say it itself, in a line that begins with `-- Contract:`.

const safeStatements: readonly RegExp[] = [
  /^CREATE TABLE (?:IF NOT EXISTS )?\S+ \(/i,
  /^CREATE INDEX \S+ ON /i,
  /^INSERT (?:IGNORE )?INTO /i,
  // Fills in what was added.
  /^UPDATE /i,
];
const safeClauses: readonly RegExp[] = [
  /^ADD (?:INDEX|KEY) /i,
  // A process of the version before is slower without it.
  /^DROP (?:INDEX|KEY) /i,
];
const addedColumn = /^ADD COLUMN /i;

export function isExpansion(sql: string): boolean {
  if (/^-- Contract:/m.test(sql)) return false;
  return statementsOf(sql).every((text) => {
    const statement = text.replace(/\s+/g, ' ');
    const [, clauses] = /^ALTER TABLE \S+ (.*)$/is.exec(statement) ?? [];
    if (clauses === undefined) return safeStatements.some((each) => each.test(statement));
    const parts = splitOutside(clauses, ',');
    return parts.every((clause) => isSafeClause(clause) || isKeyOfNew(clause, parts));
  });
}

/** An INSERT of an earlier process does not name the column. */
function isSafeClause(clause: string): boolean {
  if (!addedColumn.test(clause)) return safeClauses.some((each) => each.test(clause));
  return !/\bNOT NULL\b/i.test(clause) || /\bDEFAULT\b|\bGENERATED ALWAYS\b/i.test(clause);
}

/** The column is null for an earlier process, and nulls are never the same. */
function isKeyOfNew(clause: string, all: readonly string[]): boolean {
  const [, columns] = /^ADD UNIQUE (?:INDEX|KEY) `\w+` \(([^)]*)\)$/i.exec(clause) ?? [];
  const isNew = (column: string) =>
    all.some((each) => each.startsWith(`ADD COLUMN ${column} `) && !/\bNOT NULL\b/i.test(each));
  return columns?.split(/, ?/).some(isNew) ?? false;
}

/** Without comments. */
export function statementsOf(sql: string): readonly string[] {
  return splitOutside(sql.replace(/^\s*--.*$/gm, ''), ';').filter((each) => each !== '');
}

/** Splits at the separators that are in no brackets and no quotes. */
function splitOutside(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let [depth, from, quote] = [0, 0, ''];
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === "'" || char === '"' || char === '`') quote = char;
    else if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (char === separator && depth === 0) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return [...parts, text.slice(from).trim()];
}
