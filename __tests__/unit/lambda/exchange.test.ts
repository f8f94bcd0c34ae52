import { describe, expect, test } from '@jest/globals';
import { queryText } from '../../../src/lambda/exchange.ts';

describe('the text of a query', () => {
  test.each([
    { query: {}, text: '' },
    { query: { Qualifier: '$LATEST' }, text: 'Qualifier=%24LATEST' },
    { query: { b: '2', a: ['y', 'x'], c: null }, text: 'b=2&a=y&a=x&c=' },
    { query: { q: "it's (1*2)! & more" }, text: 'q=it%27s%20%281%2A2%29%21%20%26%20more' },
  ])('for $query is $text', ({ query, text }) => {
    expect(queryText(query)).toBe(text);
  });
});
