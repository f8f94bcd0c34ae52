import { expect, test } from '@jest/globals';
import { readOutputs } from '../output-file.ts';

const onWindows = process.platform === 'win32';

test('single-line and multiline values are outputs', () => {
  expect(readOutputs('a=b<<c\n\nd<<E\n1\n\n2=3\nE\nf<<E\nE\ng=\na=later')).toEqual({
    a: 'later',
    d: '1\n\n2=3',
    f: '',
    g: '',
  });
});

(onWindows ? test.skip : test)('only LF ends a line: a carriage return belongs to the value', () => {
  expect(readOutputs('a=1\r\nb<<E\n1\r\r\nE\r\n2\r\nE\n')).toEqual({ a: '1\r', b: '1\r\r\nE\r\n2\r' });
});

(onWindows ? test : test.skip)('CRLF ends a line on Windows and is kept inside a value', () => {
  expect(readOutputs('a=1\r\nb<<E\r\n1\r\n2\r\nE\r\n')).toEqual({ a: '1', b: '1\r\n2' });
});

test.each([
  ['without a name and a value', 'text\n'],
  ['without a name', '=a\n'],
  ['without a delimiter', 'a<<\n'],
  ['that starts with a delimiter', '<<E\nE\n'],
  ['without a closing delimiter', 'a<<E\nb\n E\n'],
])('a line %s is refused', (_, file) => {
  expect(() => readOutputs(file)).toThrow();
});
