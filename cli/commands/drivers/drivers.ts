// `tidegate drivers`: operations and settings of the relay's drivers, for `call`, `read` and "backends create".

import type { DriversListQuery } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { isObject, type JsonValue } from '../../../platform/values/json.ts';
import { nearestName } from '../../../platform/values/nearest-name.ts';
import { CommandFailure } from '../../failures.ts';
import type { GraphClient } from '../../graph-client.ts';
import { operationOptions } from '../../graphql-options.ts';
import type { Printer } from '../../printer.ts';
import { listVerb, showVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';

const document = graphql(`
  query DriversList {
    relayDrivers {
      name family summary credentialFields optionsSchema typedMutations
      operations { name summary category effect argumentsSchema example checks }
    }
  }
`);

type Driver = DriversListQuery['relayDrivers'][number];
type Operation = Driver['operations'][number];

const list = listVerb<Record<never, never>, Driver>({
  summary: 'List the drivers, and for which family of devices each is.',
  options: {},
  read: async ({ client }) => (await client.query(document, {})).relayDrivers,
  columns: {
    NAME: 'name',
    FAMILY: 'family',
    OPERATIONS: ({ operations }) => operations.length,
    SUMMARY: 'summary',
  },
});

const show = showVerb({
  summary: 'Show the operations of a driver, or with --operation one operation, with its arguments and an example.',
  takes: ['NAME'],
  options: { operation: operationOptions.operation },
  async read({ client, names, options }) {
    const driver = await driverNamed(client, names[0]);
    const { operation } = options;
    return operation === undefined ? driver : { ...driver, operations: [operationNamed(driver, operation)] };
  },
  async print(printer, driver) {
    await printer.pairs([
      ['Name', driver.name],
      ['Family', driver.family],
      ['Summary', driver.summary],
      ['Credentials', driver.credentialFields.join(', ')],
    ]);
    const [only, another] = driver.operations;
    if (only !== undefined && another === undefined) return printOperation(printer, only);
    await printer.section(
      ['OPERATION', 'EFFECT', 'ARGUMENTS', 'SUMMARY'],
      driver.operations.map((each) => [
        ...[each.name, each.effect],
        argumentsOf(each)
          .map(({ name, isNeeded }) => (isNeeded ? name : `[${name}]`))
          .join(' ') || '-',
        each.summary,
      ]),
    );
  },
});

async function printOperation(printer: Printer, operation: Operation): Promise<void> {
  await printer.line('');
  await printer.pairs([
    ['Operation', operation.name],
    ['Does', operation.summary],
    ['Effect', operation.effect],
    ['Checks', operation.checks],
    ['Example', JSON.stringify(operation.example)],
  ]);
  await printer.section(
    ['ARGUMENT', 'NEEDED', 'TYPE', 'MEANING'],
    argumentsOf(operation).map(({ name, isNeeded, type, meaning }) => [name, isNeeded ? 'yes' : 'no', type, meaning]),
  );
}

interface Argument {
  readonly name: string;
  readonly isNeeded: boolean;
  readonly type: string;
  readonly meaning: string;
}

/** Arguments from the JSON Schema. None if it has no properties. */
function argumentsOf({ argumentsSchema }: Operation): readonly Argument[] {
  const schema = argumentsSchema as JsonValue;
  if (!isObject(schema) || !isObject(schema.properties)) return [];
  const needed = Array.isArray(schema.required) ? (schema.required as readonly JsonValue[]) : [];
  return Object.entries(schema.properties).map(([name, property]) => {
    const described = isObject(property) ? property : {};
    return {
      ...{ name, isNeeded: needed.includes(name), type: typeText(described) },
      meaning: typeof described.description === 'string' ? described.description : '',
    };
  });
}

function typeText({
  type,
  enum: words,
  const: only,
  pattern,
}: Readonly<Record<string, JsonValue | undefined>>): string {
  if (Array.isArray(words)) return (words as readonly JsonValue[]).map(String).join(' | ');
  if (only !== undefined) return String(only);
  const named = Array.isArray(type)
    ? (type as readonly JsonValue[]).join(' | ')
    : typeof type === 'string'
      ? type
      : 'any';
  return typeof pattern === 'string' ? `${named} ${pattern}` : named;
}

async function driverNamed(client: GraphClient, name: string): Promise<Driver> {
  const { relayDrivers } = await client.query(document, {});
  return namedIn(relayDrivers, name, 'driver', 'see "tidegate drivers list"');
}

function operationNamed(driver: Driver, name: string): Operation {
  return namedIn(driver.operations, name, `operation of ${driver.name}`, `see "tidegate drivers show ${driver.name}"`);
}

function namedIn<Named extends { readonly name: string }>(
  all: readonly Named[],
  name: string,
  what: string,
  otherwise: string,
): Named {
  const found = all.find((each) => each.name === name);
  if (found !== undefined) return found;
  const near = nearestName(
    name,
    all.map((each) => each.name),
  );
  throw new CommandFailure(
    `there is no ${what} '${name}'${near === undefined ? `: ${otherwise}` : `; '${near}' is near`}`,
  );
}

export const drivers: Noun = { list, show };
