/** The action's version, as the user agent names it. A test holds it equal to package.json's. */
export const VERSION = '1.0.0';
