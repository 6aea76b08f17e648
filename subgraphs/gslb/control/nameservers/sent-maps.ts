// The maps of clients that one name server has. It drops a map that no name refers to any more; so does this list, if it saw the name
// change. Otherwise the server asks for the map.
import { isOwnMapId } from '../../../../dns/policy/client-blocks.ts';
import type { ClientBlocks, Name, ZoneChange } from '../../../../dns/policy/plan.ts';

export class SentMaps {
  readonly #has: Set<string>;
  /** Of the names that were sent on this connection. */
  readonly #ofNames = new Map<Name, string>();

  /** `held`: those that it has when it connects. */
  constructor(held: Iterable<string>) {
    this.#has = new Set(held);
  }

  /** It lacks this one. */
  forget(mapId: string): void {
    this.#has.delete(mapId);
    for (const [fqdn, each] of this.#ofNames) if (each === mapId) this.#ofNames.delete(fqdn);
  }

  lacking(maps: ReadonlyMap<string, ClientBlocks>): readonly (readonly [string, ClientBlocks])[] {
    return [...maps].filter(([mapId]) => !this.#has.has(mapId));
  }

  /** After the maps that the names refer to. */
  sent({ names, removedNames = [] }: Pick<ZoneChange, 'names'> & Partial<Pick<ZoneChange, 'removedNames'>>): void {
    const before = [...names.map(({ fqdn }) => fqdn), ...removedNames].flatMap((fqdn) => this.#take(fqdn) ?? []);
    for (const mapId of before) this.#has.delete(mapId);
    // Names may share one.
    for (const { fqdn, clientMapId } of names)
      if (clientMapId !== null && isOwnMapId(clientMapId)) this.#ofNames.set(fqdn, clientMapId);
    for (const mapId of this.#ofNames.values()) this.#has.add(mapId);
  }

  #take(fqdn: Name): string | undefined {
    const mapId = this.#ofNames.get(fqdn);
    this.#ofNames.delete(fqdn);
    return mapId;
  }
}
