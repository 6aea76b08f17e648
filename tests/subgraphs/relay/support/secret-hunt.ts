// Searches all output of a system for secrets, in every form. It shares no code with the redaction, so the two have no
// blind spot in common.
import { type Connection, createConnection } from 'mariadb';

/** Output that others can see. */
export interface Exhibit {
  /** For example `log`, `answer`, `table operation`. */
  readonly where: string;
  readonly text: string;
}

const neighbours = ['', 'x', 'xy'];

/** The secret's forms, by name. */
export function formsOf(secret: string): Map<string, string> {
  const bytes = Buffer.from(secret);
  const forms = new Map<string, string>([
    ['raw', secret],
    ['JSON', JSON.stringify(secret).slice(1, -1)],
    ['JSON in JSON', JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1)],
    ['URL', encodeURIComponent(secret)],
    ['form', new URLSearchParams([['', secret]]).toString().slice(1)],
    ['hex', bytes.toString('hex')],
    ['HEX', bytes.toString('hex').toUpperCase()],
  ]);
  for (const before of neighbours) {
    // The same secret between two different pairs of neighbours. The common part belongs to the secret.
    const [one = '', other = ''] = ['\u0000', '\u007f'].map((edge) =>
      Buffer.from(`${before.replace(/./g, edge)}${secret}${edge}${edge}`).toString('base64'),
    );
    const own = [...one].map((char, index) => (char === other[index] ? char : ' ')).join('');
    const inside = own.split(' ').reduce((longest, part) => (part.length > longest.length ? part : longest), '');
    forms.set(`base64 after ${before.length}`, inside);
    forms.set(`base64url after ${before.length}`, inside.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}

/** One line per secret, form and place; empty if nothing was found. Does not repeat the secret. */
export function hunt(secrets: Readonly<Record<string, string>>, exhibits: Iterable<Exhibit>): string[] {
  const wanted = Object.entries(secrets).flatMap(([name, secret]) => {
    // Keeps the first of equal forms.
    const forms = new Map([...formsOf(secret)].reverse().map(([form, text]) => [text, form]));
    return [...forms].map(([text, form]) => ({ name, form, text }));
  });
  const found = new Set<string>();
  for (const { where, text } of exhibits)
    for (const { name, form, text: part } of wanted)
      if (text.includes(part)) {
        const at = text.indexOf(part);
        const around = `${text.slice(Math.max(0, at - 60), at)}[…]${text.slice(at + part.length, at + part.length + 20)}`;
        found.add(`${name} (${form}) in ${where}: ${JSON.stringify(around)}`);
      }
  return [...found];
}

/** Every column of every row of every table, unchanged and in hex. */
export async function dumpDatabase(connection: {
  readonly socketPath: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}): Promise<Exhibit[]> {
  const db = await createConnection({ ...connection });
  try {
    const columns = (await db.query(
      `SELECT table_name AS tableName, column_name AS columnName FROM information_schema.columns
      WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`,
    )) as { tableName: string; columnName: string }[];
    const exhibits: Exhibit[] = [];
    for (const { tableName, columnName } of columns) exhibits.push(...(await dumpColumn(db, tableName, columnName)));
    return exhibits;
  } finally {
    await db.end();
  }
}

async function dumpColumn(db: Connection, table: string, column: string): Promise<Exhibit[]> {
  const rows = (await db.query(
    `SELECT HEX(CAST(\`${column}\` AS BINARY)) AS hex FROM \`${table}\` WHERE \`${column}\` IS NOT NULL`,
  )) as { hex: string }[];
  const where = `table ${table}, column ${column}`;
  return rows.flatMap(({ hex }) => [
    { where, text: Buffer.from(hex, 'hex').toString('utf8') },
    // A binary column may contain something other than text.
    { where: `${where}, in hex`, text: hex.toLowerCase() },
  ]);
}
