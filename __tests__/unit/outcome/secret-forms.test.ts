import { expect, test } from '@jest/globals';
import { formsOf } from '../../../src/outcome/secret-texts.ts';

test('a secret of letters and digits has one form', () => {
  expect(formsOf('s3cr3t-token_')).toEqual(['s3cr3t-token_']);
});

test.each([
  ['as it is', 'a/b é"<'],
  ['JavaScript', 'a/b é\\"<'],
  ['PHP', 'a\\/b \\u00e9\\"<'],
  ['PHP, told to leave what is not ASCII', 'a\\/b é\\"<'],
  ['Python', 'a/b \\u00e9\\"<'],
  ['Jackson, told to write ASCII', 'a/b \\u00E9\\"<'],
  ['Go', 'a/b é\\"\\u003c'],
  ['.NET', 'a/b \\u00E9\\u0022\\u003C'],
  ['JavaScript, in JSON that is itself in JSON', 'a/b é\\\\\\"<'],
  ['PHP, in JSON that PHP has in JSON', 'a\\\\\\/b \\\\u00e9\\\\\\"<'],
  ['PHP, in JSON that JavaScript has in JSON', 'a\\\\/b \\\\u00e9\\\\\\"<'],
  ['Python, in JSON that is itself in JSON', 'a/b \\\\u00e9\\\\\\"<'],
  ['a URL', 'a%2Fb%20%C3%A9%22%3C'],
])('a secret has the form of its encoding: %s', (_, form) => {
  expect(formsOf('a/b é"<')).toContain(form);
});

test('a multiline secret has each line as a form, and the whole text in JSON', () => {
  expect(formsOf('first\r\n  second\n\nthird')).toEqual(
    expect.arrayContaining(['first', 'second', 'third', 'first\\r\\n  second\\n\\nthird']),
  );
  for (const form of formsOf('first\r\n  second\n\nthird')) expect(form).not.toMatch(/[\r\n]/);
});

test.each(['', ' ', '\n \r\n\t'])('a secret that nobody can see has none: %j', (secret) => {
  expect(formsOf(secret)).toEqual([]);
});

test('a lone surrogate is not an error', () => {
  expect(formsOf('\ud800x')).toContain('\ud800x');
});
