/** `turnwire`: the client of `@turnwire/client`, under the name of the whole. */
export * from '@turnwire/client';
