// The kinds of status events that other teams' subgraphs send: `SUBGRAPH:TYPE.WORD`, for example `inventory:Rack.power`. The name and the
// type come from the settings, never from the sender. No kind of ours has a colon, so none can be forged.
import type { OutsideNodes } from '../../../../platform/process/subgraph-row.ts';

/** The part of a kind that its sender chooses. */
export const kindWord = /^[a-z][A-Za-z0-9]{0,31}$/;
/** Limit of the column. */
export const longestKind = 64;

const kindPattern = /^([a-z0-9]{1,32}):(\w{1,64})\.([a-z][A-Za-z0-9]{0,31})$/;

export function outsideKind(subgraph: string, type: string, word: string): string {
  return `${subgraph}:${type}.${word}`;
}

/** Whether one of the subgraphs may send this kind. */
export function isOutsideKind(nodes: OutsideNodes, kind: string): boolean {
  const [, subgraph = '', type = ''] = kindPattern.exec(kind) ?? [];
  return nodes.get(subgraph)?.includes(type) === true;
}
