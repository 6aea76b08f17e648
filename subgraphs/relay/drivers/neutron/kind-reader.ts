// Reads one object of a kind: by its id if the mapping has it, else by its name in the mapping.

import type { HttpReply, JsonObject, ResourceFinding, ResourceReader } from '../driver.ts';
import { call, membersOf, nothingReadable, queryOf, readAnswer } from './api.ts';
import { type Kind, keyArgument, keyOfNative, operationIdOf, uuidOf, valuesOf } from './kind.ts';
import { memberOf } from './kind-operations.ts';

export function readerOf(kind: Kind): ResourceReader<HttpReply> {
  const { scope } = kind;
  return {
    lists: kind.lists,
    own: kind.own,
    render: ({ scope: where, key, uuid }, context) => {
      if (uuid !== null) return call(context, 'GET', `${kind.path}/${encodeURIComponent(uuid)}`);
      const scoped = scope === undefined ? {} : { [scope.attribute]: where };
      const named = kind.key.by === 'name' ? { name: key } : {};
      return call(context, 'GET', `${kind.path}${queryOf({ ...scoped, ...named })}`);
    },
    interpret: (reply, { key, uuid }) => {
      const answer = readAnswer(reply);
      if (answer.kind === 'refused' && answer.absent) return { finding: 'ABSENT' };
      if (answer.kind !== 'object') return { finding: 'UNREADABLE', message: answer.message };
      if (uuid !== null) {
        return memberOf(kind, answer.object, (native) => present(kind, native)) ?? nothingReadable;
      }
      const members = membersOf(answer.object, kind.collection);
      return members
        ? oneOf(
            kind,
            members.filter((native) => keyOfNative(kind, native) === key),
            key,
          )
        : nothingReadable;
    },
    remove: ({ scope: where, key, uuid }) => {
      if (uuid === null) return undefined;
      const scoped = scope === undefined ? {} : { [scope.argument]: where };
      return { operation: `${kind.prefix}.delete`, arguments: { id: uuid, ...scoped, [keyArgument(kind)]: key } };
    },
  };
}

/** Neutron allows several with one name: then only an id identifies the object. */
function oneOf(kind: Kind, found: readonly JsonObject[], key: string): ResourceFinding {
  const [first, ...others] = found;
  if (!first) return { finding: 'ABSENT' };
  if (others.length === 0) return present(kind, first);
  const message = `${found.length} objects have the name ${key}: ${found.map((native) => uuidOf(native) ?? '?').join(', ')}.`;
  return { finding: 'UNREADABLE', message: message.slice(0, 4_096) };
}

function present(kind: Kind, native: JsonObject): ResourceFinding {
  const id = uuidOf(native);
  return {
    finding: 'PRESENT',
    ...(id === undefined ? {} : { uuid: id }),
    ...operationIdOf(native),
    values: valuesOf(kind, native),
  };
}
