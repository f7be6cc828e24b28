// To come.
export const Teach = () => null;
