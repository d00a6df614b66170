// Elementary functions in double precision, made of IEEE operations alone: no library call but sqrt, so the same bits
// on every machine, unlike libm. Good to a few units of the last place of a double; rounded to float they serve the
// functions that are too rare to be worth vectors. The hot ones are in math/functions.h.
#pragma once

namespace octavo {

double precise_exp(double x);
double precise_expm1(double x);
double precise_log(double x);
double precise_log1p(double x);
double precise_pow(double x, double y);
double precise_sin(double x);
double precise_cos(double x);
double precise_tan(double x);
double precise_asin(double x);
double precise_acos(double x);
double precise_atan(double x);
double precise_sinh(double x);
double precise_cosh(double x);
double precise_tanh(double x);
double precise_asinh(double x);
double precise_acosh(double x);
double precise_atanh(double x);
double precise_erf(double x);
double precise_fmod(double x, double y);  // exact, with the sign of x
double precise_rint(double x);

}  // namespace octavo
