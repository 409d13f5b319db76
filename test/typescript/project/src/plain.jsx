export default (name) => <i>{name}</i>;
