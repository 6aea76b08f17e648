// Reads an object: one read of the table, filtered by name, and by number if the device assigns one.

import type { HttpReply, JsonObject, MappedObject, ResourceReader } from '../driver.ts';
import { readMark } from '../mark.ts';
import { fieldsOf, type Kind, numberOf, valuesOf } from './kind.ts';
import { recognisedBy } from './object-guard.ts';
import { entriesIn, get, type Place, readAnswer } from './rest.ts';

export function readerOf(kind: Kind): ResourceReader<HttpReply> {
  const place = ({ scope }: MappedObject): Place => ({ table: kind.table, vdom: scope });
  return {
    lists: kind.lists,
    own: kind.own,
    render: (object) => get(place(object), { filter: filterFor(kind, object), format: fieldsOf(kind) }),
    interpret: (reply, object) => {
      const answer = readAnswer(reply, place(object));
      if (answer.kind !== 'done') return { finding: 'UNREADABLE', message: answer.message };
      const listed = entriesIn(answer.object);
      if (!listed?.every((entry) => isWanted(kind, entry, object) || isNamesake(entry, object))) {
        return { finding: 'UNREADABLE', message: "The device's answer does not fit the request." };
      }
      const entries = listed.filter((entry) => isWanted(kind, entry, object));
      const entry = entries.find((each) => String(numberOf(each)) === object.uuid) ?? entries[0];
      if (!entry) return { finding: 'ABSENT' };
      const operationId = readMark(entry[kind.comment])?.operationId;
      const number = kind.numbered === true ? numberOf(entry) : undefined;
      return {
        finding: 'PRESENT',
        values: valuesOf(kind, entry, object.scope),
        ...(operationId === undefined ? {} : { operationId }),
        ...(number === undefined ? {} : { uuid: String(number) }),
      };
    },
    remove: (object) => {
      const { scope, key, uuid } = object;
      const which = { vdom: scope, name: key, ...recognisedBy(kind, object) };
      if (kind.numbered !== true) return { operation: `${kind.prefix}.delete`, arguments: which };
      const policyId = Number(uuid);
      if (!(policyId > 0)) return undefined;
      return { operation: `${kind.prefix}.delete`, arguments: { marked: false, ...which, policyId } };
    },
  };
}

/** A comma is FortiOS' "or" between filters: the number finds a renamed object, the name one with an unknown number. */
function filterFor(kind: Kind, { key, uuid }: MappedObject): string {
  const byName = `name==${key}`;
  return kind.numbered === true && uuid !== null ? `policyid==${uuid},${byName}` : byName;
}

function isWanted(kind: Kind, entry: JsonObject, { key, uuid }: MappedObject): boolean {
  return entry.name === key || (kind.numbered === true && uuid !== null && String(numberOf(entry)) === uuid);
}

/** Filters ignore case, names do not (FortiOS REST API reference, operator `==`). */
function isNamesake(entry: JsonObject, { key }: MappedObject): boolean {
  return String(entry.name).toLowerCase() === key.toLowerCase();
}
