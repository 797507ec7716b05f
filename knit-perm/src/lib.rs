//! One permission policy, compiled to what each JavaScript runtime and the kernel can enforce.
