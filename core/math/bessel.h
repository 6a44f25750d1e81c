#pragma once
#include <cmath>
#include <limits>

#include "math/words.h"

// Bessel functions and the Airy function: ordinary functions of numbers (namespace scalar), a few ulp; float
// versions compute in double. Polynomials are Chebyshev interpolations of the functions named beside them,
// made at 30 digits for this library, after the way Moshier's Cephes cuts the axis.
namespace fb::math::scalar {

namespace bessel {

// e^-x I0(x) for x ≤ 8, t = x/4 - 1; error 6e-18.
inline double i0_near(double t) {
  return poly(t, 4.3944263083400832e-9, -1.6311306916686712e-8, 2.6797710049757930e-8,
              -8.5946015260259129e-8, 3.6592167301627761e-7, -1.1419495259048662e-6, 3.2323963824432550e-6,
              -9.1839107947365199e-6, 2.5198651465609149e-5, -6.5567867796964401e-5, 0.00016240845590614181,
              -0.00038286541399059612, 0.00085631351775653751, -0.0018119029764120445,
              0.0036171271654272857, -0.0067923948210449670, 0.011960077703464204, -0.019682655784004565,
              0.030177912062219180, -0.042985949296730672, 0.056777032015017851, -0.069541195631543973,
              0.079275225907529741, -0.084963380915425559, 0.087343416175508840, -0.089043441360777320,
              0.094515628539951249, -0.11300432688620536, 0.20700192122398670);
}

// e^-x √x I0(x) for x ≥ 8, t = 16/x - 1; error 3e-18.
inline double i0_far(double t) {
  return poly(t, -7.0689385118187804e-11, -1.9216763724933513e-11, 5.1819369712882837e-10,
              1.4672236659214397e-10, -1.7789375042917174e-9, -5.5622019900803933e-10,
              3.8811512539960668e-9, 1.4978808301870910e-9, -6.1882650904973612e-9, -3.4857887470034955e-9,
              7.5802213391527192e-9, 7.5406013788908335e-9, -5.4685974495866000e-9, -1.3404241991980870e-8,
              -6.7297241119235485e-9, 7.5535164703558962e-9, 2.1545177650836004e-8, 3.9326024597031091e-8,
              8.8722535112858405e-8, 2.9735984324791689e-7, 1.4838475473607392e-6, 1.1143033791556743e-5,
              0.00013621607439232747, 0.0033605519836678541, 0.40217650944500808);
}

// e^-x I1(x) / x for x ≤ 8, t = x/4 - 1; error 5e-19.
inline double i1_near(double t) {
  return poly(t, 3.6696752013169965e-10, -1.4165980180332848e-9, 2.6443305769991872e-9,
              -8.9868010131933509e-9, 3.7901404602356163e-8, -1.2424046295570417e-7, 3.7617292810159423e-7,
              -1.1327198008251626e-6, 3.2936151443567501e-6, -9.1365296301069524e-6, 2.4233987591498261e-5,
              -6.1423614092670381e-5, 0.00014842110758080819, -0.00034117602292048360,
              0.00074451239987497385, -0.0015388745642735841, 0.0030057624040464931, -0.0055345678469886551,
              0.0095839621537642913, -0.015571309244077563, 0.023686016957350876, -0.033671355521075052,
              0.044674572621282983, -0.055280039226992259, 0.063767403713406106, -0.068482606205826895,
              0.068057599909511616, -0.061124338029666283, 0.044687709875608832);
}

// e^-x √x I1(x) for x ≥ 8, t = 16/x - 1; error 3e-18.
inline double i1_far(double t) {
  return poly(t, 7.3479924417346639e-11, 1.7502497778701306e-11, -5.3882859959235238e-10,
              -1.3422663200822221e-10, 1.8513716745511988e-9, 5.1464988260871419e-10,
              -4.0477854037118586e-9, -1.4171698018664596e-9, 6.4870195719816896e-9, 3.4066361301967943e-9,
              -8.0442312761665085e-9, -7.6307519700655778e-9, 6.0408773421609881e-9, 1.4029693589852717e-8,
              6.7157951280850176e-9, -8.4266228295981544e-9, -2.3370596271118569e-8, -4.3129353699713559e-8,
              -1.0001323461066435e-7, -3.4838556090099369e-7, -1.8349101134666434e-6,
              -1.5038547201176271e-5, -0.00021923576383430275, -0.0097495771932357289, 0.38939845902587233);
}

// I0(x) for x ≤ 2, t = x²/2 - 1; error 2e-19.
inline double i0_small(double t) {
  return poly(t, 1.5591642386233992e-14, 2.5398791969620096e-12, 3.2732478453335283e-10,
              3.2362273523765518e-8, 2.3575789878936868e-6, 0.00011982068581634410, 0.0039285651056368085,
              0.073589868361053349, 0.63586172815606856, 1.5660829297563505);
}

// I1(x) / x for x ≤ 2, t = x²/2 - 1; error 7e-21.
inline double i1_small(double t) {
  return poly(t, 7.7606122598826852e-16, 1.4032637886164458e-13, 2.0317481454626292e-11,
              2.2912734889380461e-9, 1.9417364216117139e-7, 1.1787894939469931e-5, 0.00047928274326513388,
              0.011785695316910425, 0.14717973672210671, 0.63586172815606856);
}

// K0(x) + log(x/2) I0(x) for x ≤ 2, t = x²/2 - 1; error 4e-19.
inline double k0_near(double t) {
  return poly(t, 3.5186119788469524e-14, 5.4525646625978113e-12, 6.6230132771902778e-10,
              6.0933618941721488e-8, 4.0545066199495613e-6, 0.00018280555827915540, 0.0050533926431960923,
              0.071777010342405096, 0.34049732101338059, -0.30362077291575547);
}

// x (K1(x) - log(x/2) I1(x)) for x ≤ 2, t = x²/2 - 1; error 7e-18.
inline double k1_near(double t) {
  return poly(t, -6.2142292665451797e-13, -8.5336341681612103e-11, -9.0321275112696016e-9,
              -7.0811336915174905e-7, -3.8918690643709185e-5, -0.0013831688466181161, -0.027854235219771845,
              -0.24383852886774330, -0.33224095524031308, 0.88508828772958935);
}

// e^x √x K0(x) for x ≥ 2, t = 4/x - 1; error 1e-19.
inline double k0_far(double t) {
  return poly(t, -1.1474096624890416e-11, 1.9041206942364708e-11, 4.8420212135531532e-11,
              -7.9313169447983824e-11, -1.2001631235656249e-10, 1.9837405048903830e-10,
              1.3064165561155354e-10, -2.0746366505405302e-10, -2.2620667857377089e-10,
              4.0060172512193334e-10, -2.6698256092722224e-10, 5.8870707806142564e-10,
              -1.5769430328239491e-9, 3.4049893708353083e-9, -7.4661264806734515e-9, 1.7236041403309098e-8,
              -4.1279713534234601e-8, 1.0289818478657480e-7, -2.6891926992747294e-7, 7.4279051780572921e-7,
              -2.1911761463048539e-6, 7.0022445240353823e-6, -2.4735204679884484e-5, 9.9560547482304585e-5,
              -0.00047976905676229203, 0.0030328918102739862, -0.031071461824889557, 1.2185953385133905);
}

// e^x √x K1(x) for x ≥ 2, t = 4/x - 1; error 1e-19.
inline double k1_far(double t) {
  return poly(t, 1.2384638947275545e-11, -2.0586987775336837e-11, -5.2142213313587365e-11,
              8.5533529606214385e-11, 1.2944710785557863e-10, -2.1434436785630636e-10,
              -1.3993304787605416e-10, 2.2222330645257820e-10, 2.4703564733646203e-10,
              -4.3937376280289683e-10, 3.0476544102856311e-10, -6.7338223255156902e-10,
              1.7914051992229122e-9, -3.8926484297272628e-9, 8.6044467252149491e-9, -2.0022705133184522e-8,
              4.8397387288241167e-8, -1.2197080791156156e-7, 3.2299490613548202e-7, -9.0672006608171070e-7,
              2.7300396533682531e-6, -8.9612061682977406e-6, 3.2843865686644016e-5, -0.00013959021963012400,
              0.00073572415490387948, -0.0055667298800731380, 0.10334973775386527, 1.3631518903713420);
}

// Ai(x) for |x| ≤ 2, t = x/2; error 3e-17.
inline double airy_middle(double t) {
  return poly(t, -2.7019470212498796e-10, -2.6697180320222257e-9, 1.6789033695277126e-8,
              -3.5779706966240461e-9, -2.3459750780871947e-7, 8.5197488791938605e-7, 9.0440347577249033e-10,
              -9.9928676829036303e-6, 3.2382235248877876e-5, 3.2211972406709727e-9, -0.00029963241252823067,
              0.00085004710952388714, -6.4757848639551111e-11, -0.0058428362536350033, 0.014025799671094104,
              -6.5891988890861038e-11, -0.065731912075534493, 0.12623219694471938, 6.2587424238732820e-14,
              -0.34509253839077474, 0.47337073851708834, 7.6697095072868983e-15, -0.51763880758561359,
              0.35502805388781721);
}

// e^ζ x^¼ Ai(x) for x ≥ 2, t = 2 ζ(2)/ζ - 1; error 3e-19.
inline double airy_right(double t) {
  return poly(t, -5.9484757073109056e-12, 9.9472235289775998e-12, 2.1856160390342001e-11,
              -3.5934344142371502e-11, -5.1573899086065568e-11, 8.6193451029822770e-11,
              4.0301320176396526e-11, -6.1382538616660739e-11, -1.0928702805273520e-10,
              2.0455080944517750e-10, -2.4771762903081280e-10, 5.3911315285899425e-10,
              -1.2748728684460198e-9, 2.8767752852310021e-9, -6.7035839734954470e-9, 1.6350555679286985e-8,
              -4.1787333372265864e-8, 1.1275870321826480e-7, -3.2469806268876809e-7, 1.0121086901259199e-6,
              -3.4851092970000372e-6, 1.3671255972854182e-5, -6.4275922775461565e-5, 0.00039865677489424200,
              -0.0041223805958495015, 0.27749080246165457);
}

// Ai(x) for -5 ≤ x ≤ -2, t = (x + 3.5) / 1.5; error 3e-16.
inline double airy_left(double t) {
  return poly(t, -2.3212538815196433e-9, -5.7743882549328000e-9, 8.2738981374896569e-8,
              -9.4165132145160471e-8, -1.2776340954377678e-6, 5.3998649553117323e-6, 4.8244871196686943e-6,
              -9.1707247638512745e-5, 0.00016921330149115593, 0.00069501908531964259,
              -0.0033231889527874050, 6.7308187574649698e-5, 0.027339828578367072, -0.044518410527296315,
              -0.10208136124009371, 0.34505983347894420, 0.066463756715963976, -1.1152637297643847,
              0.46491648409616504, 1.4786644286153774, -0.51516515018107222, -0.37553382314043161);
}

// Factor of the sine for x ≤ -5, t = 2 (ζ(5)/ζ)² - 1; error 7e-18.
inline double airy_sine(double t) {
  return poly(t, 5.0733455625222059e-14, -1.5157742095231195e-13, 3.2594631862896107e-13,
              -1.2557928974984706e-12, 5.5962182006539867e-12, -2.7051302811089654e-11,
              1.5522606344762052e-10, -1.1119340507406296e-9, 1.0673425833297426e-8, -1.5421120343966445e-7,
              4.1286661583625366e-6, -0.00032543198726401649, 0.99967027316035666);
}

// ζ times the factor of the cosine for x ≤ -5, t = 2 (ζ(5)/ζ)² - 1; error 6e-17.
inline double airy_cosine(double t) {
  return poly(t, 4.0330100522414208e-13, -1.1416700899561030e-12, 2.1673811407584669e-12,
              -7.8436110983280021e-12, 3.2900862564282966e-11, -1.4493021443344809e-10,
              7.4327918794756052e-10, -4.6363513787593540e-9, 3.7225338800260649e-8, -4.2157420965217616e-7,
              7.8540024465809765e-6, -0.00032478687444749085, 0.069111339198984250);
}

}  // namespace bessel

// Modified Bessel functions of the first kind; the e forms are times e^-|x|.
inline double i0e(double x) {
  const double a = std::fabs(x);
  return a <= 8.0 ? bessel::i0_near(a * 0.25 - 1.0) : bessel::i0_far(16.0 / a - 1.0) / std::sqrt(a);
}
inline double i1e(double x) {
  const double a = std::fabs(x);
  if (a <= 8.0) return x * bessel::i1_near(a * 0.25 - 1.0);
  return std::copysign(bessel::i1_far(16.0 / a - 1.0) / std::sqrt(a), x);
}
// The exponential in two factors, since e^|x| overflows before the product does.
inline double i0(double x) {
  const double a = std::fabs(x);
  if (a <= 2.0) return bessel::i0_small(0.5 * a * a - 1.0);
  if (a > 720.0) return a == a ? std::numeric_limits<double>::infinity() : a;
  const double half = std::exp(0.5 * a);
  return half * i0e(a) * half;
}
inline double i1(double x) {
  const double a = std::fabs(x);
  if (a <= 2.0) return x * bessel::i1_small(0.5 * a * a - 1.0);
  if (a > 720.0) return a == a ? std::copysign(std::numeric_limits<double>::infinity(), x) : a;
  const double half = std::exp(0.5 * a);
  return half * i1e(x) * half;
}

// Modified Bessel functions of the second kind: inf at 0, nan below; the scaled forms are times e^x.
inline double k0_or_scaled(double x, bool scaled) {
  if (!(x > 0.0)) return x == 0.0 ? std::numeric_limits<double>::infinity() : std::nan("");
  if (x <= 2.0) {
    const double t = 0.5 * x * x - 1.0;
    return (bessel::k0_near(t) - std::log(0.5 * x) * bessel::i0_small(t)) * (scaled ? std::exp(x) : 1.0);
  }
  return bessel::k0_far(4.0 / x - 1.0) / std::sqrt(x) * (scaled ? 1.0 : std::exp(-x));
}
inline double k1_or_scaled(double x, bool scaled) {
  if (!(x > 0.0)) return x == 0.0 ? std::numeric_limits<double>::infinity() : std::nan("");
  if (x <= 2.0) {
    const double t = 0.5 * x * x - 1.0;
    const double y = std::log(0.5 * x) * (x * bessel::i1_small(t)) + bessel::k1_near(t) / x;
    return y * (scaled ? std::exp(x) : 1.0);
  }
  return bessel::k1_far(4.0 / x - 1.0) / std::sqrt(x) * (scaled ? 1.0 : std::exp(-x));
}
inline double k0(double x) { return k0_or_scaled(x, false); }
inline double k1(double x) { return k1_or_scaled(x, false); }
inline double scaled_k0(double x) { return k0_or_scaled(x, true); }
inline double scaled_k1(double x) { return k1_or_scaled(x, true); }

// First and second kind, of order 0 and 1, from the C library (POSIX).
inline double j0(double x) { return ::j0(x); }
inline double j1(double x) { return ::j1(x); }
inline double y0(double x) { return x < 0.0 ? std::nan("") : ::y0(x); }
inline double y1(double x) { return x < 0.0 ? std::nan("") : ::y1(x); }

// sin(x) / x, for arguments of any size (the straight-line form is in trigonometric.h).
inline double spherical_j0(double x) {
  if (std::isinf(x)) return 0.0;
  return std::fabs(x) < 1e-8 ? 1.0 : std::sin(x) / x;
}

// Airy function Ai. With ζ = ⅔ |x|^(3/2): Ai(x) = e^-ζ P / x^¼ on the right, and on the left
// (sin(ζ + π/4) F - cos(ζ + π/4) G) / (√π |x|^¼) (Abramowitz & Stegun 10.4.59, 10.4.60). ζ is kept as a pair,
// since e^-ζ and sin ζ multiply its relative error by ζ.
inline double airy_ai(double x) {
  if (x != x) return x;
  if (std::fabs(x) <= 2.0) return bessel::airy_middle(0.5 * x);
  const double a = std::fabs(x);
  if (x < 0.0 && a <= 5.0) return bessel::airy_left((x + 3.5) / 1.5);
  if (a > 1e10) return 0.0;
  const double root = std::sqrt(a), fourth_root = std::sqrt(root);
  const auto square = two_product(root, root), cube = two_product(a, root);
  const double cube_low = cube.low + a * ((a - square.high) - square.low) / (2.0 * root);
  const double zeta = 2.0 * cube.high / 3.0;
  const auto thrice = two_product(3.0, zeta);
  const double zeta_low = (((2.0 * cube.high - thrice.high) - thrice.low) + 2.0 * cube_low) / 3.0;
  if (x > 0.0) {
    const double e = std::exp(-zeta), zeta_of_2 = 1.8856180831641267;
    return (e - e * zeta_low) * bessel::airy_right(2.0 * zeta_of_2 / zeta - 1.0) / fourth_root;
  }
  const double ratio = 7.453559924999299 / zeta, t = 2.0 * ratio * ratio - 1.0;
  // (sin ζ + cos ζ) / √2 = sin(ζ + π/4)
  const double s = std::sin(zeta), c = std::cos(zeta), sine = s + zeta_low * c, cosine = c - zeta_low * s;
  const double first = (sine + cosine) * bessel::airy_sine(t);
  const double second = (cosine - sine) * bessel::airy_cosine(t) / zeta;
  return (first - second) * 0.3989422804014327 / fourth_root;
}

inline float i0(float x) { return float(i0(double(x))); }
inline float i0e(float x) { return float(i0e(double(x))); }
inline float i1(float x) { return float(i1(double(x))); }
inline float i1e(float x) { return float(i1e(double(x))); }
inline float j0(float x) { return float(j0(double(x))); }
inline float j1(float x) { return float(j1(double(x))); }
inline float y0(float x) { return float(y0(double(x))); }
inline float y1(float x) { return float(y1(double(x))); }
inline float k0(float x) { return float(k0(double(x))); }
inline float k1(float x) { return float(k1(double(x))); }
inline float scaled_k0(float x) { return float(scaled_k0(double(x))); }
inline float scaled_k1(float x) { return float(scaled_k1(double(x))); }
inline float spherical_j0(float x) { return float(spherical_j0(double(x))); }
inline float airy_ai(float x) { return float(airy_ai(double(x))); }

}  // namespace fb::math::scalar
