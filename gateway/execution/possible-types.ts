// The object types of an abstract type of the supergraph, including inaccessible ones, and other names that an object may have as its `__typename`: a
// subgraph with an @interfaceObject uses the name of the interface. Also the fields with arguments in requirements.
import type { DocumentNode, InterfaceTypeDefinitionNode, ObjectTypeDefinitionNode } from 'graphql';

export class PossibleTypes {
  readonly #of = new Map<string, Set<string>>();
  readonly #objects = new Set<string>();
  readonly #interfaceObjects = new Set<string>();
  /** By coordinate (`Thing.name`): fields whose type in a subgraph differs from the supergraph's. */
  readonly #variants = new Map<string, string>();
  readonly #requiredWithArguments = new Set<string>();

  constructor({ definitions }: DocumentNode) {
    for (const definition of definitions) {
      const { kind } = definition;
      if (kind === 'UnionTypeDefinition')
        for (const member of definition.types ?? []) this.#add(definition.name.value, member.name.value);
      if (kind !== 'ObjectTypeDefinition' && kind !== 'InterfaceTypeDefinition') continue;
      this.#noteVariants(definition);
      this.#noteRequirements(definition);
      if (kind === 'InterfaceTypeDefinition') {
        const isInSome = (definition.directives ?? []).some((directive) =>
          directive.arguments?.some(({ name }) => name.value === 'isInterfaceObject'),
        );
        if (isInSome) this.#interfaceObjects.add(definition.name.value);
        continue;
      }
      this.#objects.add(definition.name.value);
      for (const { name } of definition.interfaces ?? []) this.#add(name.value, definition.name.value);
    }
  }

  /**
   * Whether a
   * @requires has a field of this name with arguments. The planner requests it under the field's own name, where it would replace the client's field.
   */
  isRequiredWithArguments(name: string): boolean {
    return this.#requiredWithArguments.has(name);
  }

  isObject(name: string): boolean {
    return this.#objects.has(name);
  }

  /** Whether an object can have this `__typename`. */
  isKnown(name: string): boolean {
    return this.#objects.has(name) || this.#interfaceObjects.has(name);
  }

  isInterfaceObject(name: string): boolean {
    return this.#interfaceObjects.has(name);
  }

  /** Whether an object with this `__typename` fulfils the condition. */
  fits(condition: string, typename: unknown): boolean {
    return condition === typename || this.#of.get(condition)?.has(typename as string) === true;
  }

  /** The same text for fields whose type is the same in each subgraph. */
  variantsOf(coordinate: string): string {
    return this.#variants.get(coordinate) ?? '';
  }

  #add(abstract: string, object: string): void {
    const known = this.#of.get(abstract) ?? new Set();
    known.add(object);
    this.#of.set(abstract, known);
  }

  #noteRequirements({ fields = [] }: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode): void {
    for (const { name, value } of fields
      .flatMap((field) => field.directives ?? [])
      .flatMap((each) => each.arguments ?? []))
      if (name.value === 'requires' && value.kind === 'StringValue')
        for (const [, required = ''] of value.value.matchAll(/(\w+)\s*\(/g)) this.#requiredWithArguments.add(required);
  }

  #noteVariants({ name, fields }: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode): void {
    for (const field of fields ?? []) {
      const variants = (field.directives ?? []).flatMap((directive) => {
        const values = (directive.arguments ?? []).flatMap(({ name: { value: argument }, value }) =>
          argument === 'graph' || argument === 'type' ? [`${argument}=${'value' in value ? value.value : ''}`] : [],
        );
        return directive.name.value === 'join__field' && values.length > 1 ? [values.join()] : [];
      });
      if (variants.length > 0) this.#variants.set(`${name.value}.${field.name.value}`, variants.join(';'));
    }
  }
}
