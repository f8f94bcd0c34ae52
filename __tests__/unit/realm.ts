import { types } from 'node:util';

// Jest runs tests in a separate realm, where errors of Node's core are not instances of Error.
// A runner has one realm. This gives tests the same, without changing classes derived from Error.
Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, thrown: unknown): boolean {
    return this === Error
      ? types.isNativeError(thrown)
      : Reflect.apply(Function.prototype[Symbol.hasInstance], this, [thrown]);
  },
});
