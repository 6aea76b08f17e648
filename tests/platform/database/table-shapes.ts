// The shape of tables, from the text of the Prisma schema and from a database, in a form that can be compared.
import type { Sql } from '../../../platform/database/database.ts';

interface TableShape {
  /** "type nullability default" by column. */
  readonly columns: Record<string, string>;
  /** "unique? columns" by index (including PRIMARY). */
  readonly indexes: Record<string, string>;
  /** "column -> table(column) rules" by constraint. */
  readonly foreignKeys: Record<string, string>;
}

export type TableShapes = Record<string, TableShape>;

const nativeTypes: Record<string, (size: string) => string> = {
  Char: (size) => `char${size}`,
  VarChar: (size) => `varchar${size}`,
  Blob: () => 'blob',
  Binary: (size) => `binary${size}`,
  VarBinary: (size) => `varbinary${size}`,
  MediumBlob: () => 'mediumblob',
  DateTime: (size) => `datetime${size}`,
  LongText: () => 'longtext',
  MediumText: () => 'mediumtext',
  Text: () => 'text',
  UnsignedBigInt: () => 'bigint(20) unsigned',
  UnsignedInt: () => 'int(10) unsigned',
  UnsignedSmallInt: () => 'smallint(5) unsigned',
  UnsignedTinyInt: () => 'tinyint(3) unsigned',
};

/** Prisma's MySQL types for types without a native one. */
const plainTypes: Record<string, string> = {
  String: 'varchar(191)',
  Int: 'int(11)',
  BigInt: 'bigint(20)',
  Boolean: 'tinyint(1)',
  Float: 'double',
  DateTime: 'datetime(3)',
};

interface Field {
  readonly name: string;
  readonly type: string;
  readonly list: boolean;
  readonly optional: boolean;
  readonly rest: string;
}

/** Parses the parts of Prisma's schema language that the schema uses. Throws on an unknown type. */
export function shapesOfSchema(text: string): TableShapes {
  const models = [...text.matchAll(/^model (\w+) \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) => {
    const lines = body
      .split('\n')
      .map((line) => line.replace(/\/\/.*$/, '').trim())
      .filter((line) => line !== '');
    return { name, fields: lines.flatMap(parseField), blocks: lines.filter((line) => line.startsWith('@@')) };
  });
  const tableOf = new Map(
    models.map((model) => [model.name, /@@map\("(\w+)"\)/.exec(model.blocks.join('\n'))?.[1] ?? model.name]),
  );
  const columnOf = (model: string, field: string) => {
    const found = models.find((each) => each.name === model)?.fields.find((each) => each.name === field);
    if (found === undefined) throw new Error(`the schema names ${model}.${field}, which is not there`);
    return columnName(found);
  };

  return Object.fromEntries(
    models.map(({ name: model, fields, blocks }) => {
      const shape: TableShape = { columns: {}, indexes: {}, foreignKeys: {} };
      const columns = (list: string) => list.split(',').map((field) => columnOf(model, field.trim()));
      for (const field of fields) {
        if (tableOf.has(field.type)) {
          const relation = /@relation\(fields: \[(.*?)\], references: \[(.*?)\], onDelete: (\w+), map: "(\w+)"\)/.exec(
            field.rest,
          );
          if (relation === null) continue;
          const [, from = '', to = '', rule = '', constraint = ''] = relation;
          const target = to.split(',').map((each) => columnOf(field.type, each.trim()));
          shape.foreignKeys[constraint] =
            `${columns(from)} -> ${tableOf.get(field.type)}(${target}) ${rule.toUpperCase()}`;
          continue;
        }
        const column = columnName(field);
        shape.columns[column] = `${sqlType(field)} ${field.optional ? 'null' : 'not null'} ${sqlDefault(field)}`;
        if (/@id\b/.test(field.rest)) shape.indexes.PRIMARY = `unique ${column}`;
        const unique = /@unique\(map: "(\w+)"\)/.exec(field.rest);
        if (unique?.[1] !== undefined) shape.indexes[unique[1]] = `unique ${column}`;
      }
      for (const block of blocks) {
        const [, kind = '', list = '', map] = /^@@(id|unique|index)\(\[(.*?)\](?:, map: "(\w+)")?\)$/.exec(block) ?? [];
        if (kind === 'id') shape.indexes.PRIMARY = `unique ${columns(list)}`;
        else if (map !== undefined) shape.indexes[map] = `${kind === 'unique' ? 'unique ' : ''}${columns(list)}`;
        else if (!block.startsWith('@@map')) throw new Error(`${model}: ${block} has no map, or is not understood`);
      }
      return [tableOf.get(model) ?? model, shape];
    }),
  );
}

function parseField(line: string): Field[] {
  const match = /^(\w+)\s+(\w+)(\[\])?(\?)?(.*)$/.exec(line);
  if (match === null) return [];
  const [, name = '', type = '', list, optional, rest = ''] = match;
  return [{ name, type, list: list !== undefined, optional: optional !== undefined, rest }];
}

function columnName(field: Field): string {
  return /@map\("(\w+)"\)/.exec(field.rest)?.[1] ?? field.name;
}

function sqlType(field: Field): string {
  const native = /@db\.(\w+)(\(\d+\))?/.exec(field.rest);
  const type = native === null ? plainTypes[field.type] : nativeTypes[native[1] ?? '']?.(native[2] ?? '');
  if (type === undefined) throw new Error(`no SQL type is known for ${field.name} ${field.type}${field.rest}`);
  return type;
}

function sqlDefault(field: Field): string {
  const text = /@default\((.*?\)?)\)(?= |$)/.exec(field.rest)?.[1];
  if (text === undefined) return field.optional ? 'NULL' : '-';
  if (text === 'now()') return 'current_timestamp(3)';
  if (text === 'autoincrement()') return 'auto_increment';
  if (text === 'true' || text === 'false') return text === 'true' ? '1' : '0';
  const expression = /^dbgenerated\("\((.*)\)"\)$/.exec(text)?.[1];
  return expression ?? text.replaceAll('"', "'");
}

/** The shapes of a database's own tables, without Prisma's migration table. */
export async function shapesOfDatabase(db: Sql): Promise<TableShapes> {
  const shapes: TableShapes = {};
  const own = "table_schema = DATABASE() AND table_name <> '_prisma_migrations'";
  const columns = await db.query<{ t: string; c: string; shape: string }>(
    `SELECT table_name AS t, column_name AS c, CONCAT_WS(' ', column_type, IF(is_nullable = 'YES', 'null', 'not null'), IF(extra LIKE '%auto_increment%', 'auto_increment', COALESCE(column_default, '-'))) AS shape FROM information_schema.columns WHERE ${own}`,
  );
  for (const { t, c, shape } of columns) {
    shapes[t] ??= { columns: {}, indexes: {}, foreignKeys: {} };
    shapes[t].columns[c] = shape;
  }
  const indexes = await db.query<{ t: string; name: string; shape: string }>(
    `SELECT table_name AS t, index_name AS name, CONCAT(IF(MIN(non_unique) = 0, 'unique ', ''), GROUP_CONCAT(column_name ORDER BY seq_in_index)) AS shape FROM information_schema.statistics WHERE ${own} GROUP BY table_name, index_name`,
  );
  for (const { t, name, shape } of indexes) if (shapes[t] !== undefined) shapes[t].indexes[name] = shape;
  const keys = await db.query<{ t: string; name: string; shape: string }>(
    `SELECT k.table_name AS t, k.constraint_name AS name, CONCAT(GROUP_CONCAT(k.column_name ORDER BY k.ordinal_position), ' -> ', MIN(k.referenced_table_name), '(', GROUP_CONCAT(k.referenced_column_name ORDER BY k.ordinal_position), ') ', MIN(r.delete_rule)) AS shape FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r ON r.constraint_schema = k.table_schema AND r.constraint_name = k.constraint_name WHERE k.${own.replace('table_name', 'k.table_name')} GROUP BY k.table_name, k.constraint_name`,
  );
  for (const { t, name, shape } of keys) if (shapes[t] !== undefined) shapes[t].foreignKeys[name] = shape;
  return shapes;
}
