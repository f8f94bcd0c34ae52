import { types } from 'node:util';

// Jest runs a test in a realm of its own, where the errors of Node's core are no instances of Error.
// A runner has one realm; this gives the tests the same, and leaves every class derived from Error alone.
Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, thrown: unknown): boolean {
    return this === Error
      ? types.isNativeError(thrown)
      : Reflect.apply(Function.prototype[Symbol.hasInstance], this, [thrown]);
  },
});
