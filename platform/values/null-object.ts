// Objects without inherited properties, in which any name is only a name. Unlike those of Object.create(null), they keep their fast
// form in V8.

export const NullObject = function (this: object) {} as unknown as {
  new (): Record<string, unknown>;
  prototype: object;
};
NullObject.prototype = Object.freeze(Object.create(null));
