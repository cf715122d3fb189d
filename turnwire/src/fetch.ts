/** `turnwire/fetch`: all of `@turnwire/wire/fetch`. */
export * from '@turnwire/wire/fetch';
